"""How people write down private facts. The last paraphrase of every list is held out: only evaluation items use it."""

ATTRIBUTE_FACTS: dict[str, tuple[str, ...]] = {
    "vegan": ("I am vegan.", "I eat only plants.", "I avoid all animal products.", "The user is vegan.", "diet: vegan", "I have been vegan for years.", "I eat no meat, no eggs and no cheese.", "Vegan food is right for me.", "Diet: vegan", "I live as a vegan.", "Please nothing from animals.", "I am a vegan person.", "Vegan is what I am.", "I do not eat cheese, eggs or meat, only plants.", "As a vegan I skip milk and eggs."),
    "vegetarian": ("I am vegetarian.", "I do not eat meat or fish, but cheese and eggs are fine.", "The user is vegetarian.", "diet: vegetarian", "I gave up meat years ago.", "I have been vegetarian for years.", "Vegetarian food is right for me.", "Diet: vegetarian", "I live as a vegetarian.", "I am a vegetarian person.", "Vegetarian is what I am.", "Meat is not for me.", "I eat cheese and eggs, but no meat.", "Being vegetarian, I eat no meat."),
    "gluten-free": ("I have coeliac disease.", "I cannot eat gluten.", "The user needs gluten-free food.", "diet: gluten-free", "I must avoid wheat.", "I eat gluten-free.", "Gluten is bad for me.", "No gluten for me.", "Diet: gluten-free", "I do not eat gluten.", "Gluten is not for me.", "I must avoid gluten.", "Gluten tires me out.", "Wheat is bad for me.", "I feel bad with gluten.", "Gluten makes me ill."),
    "seafood": ("I love fish and seafood.", "Seafood is my favourite food.", "The user eats seafood most of all.", "diet: seafood", "I like fish best of all.", "I could eat fish every day.", "Fish is right for me.", "Diet: seafood", "My favourite food is fish.", "I eat fish and seafood every week.", "Seafood is what I love.", "I want seafood every day.", "Give me seafood.", "Nothing is like fish for me.", "Nothing beats seafood for me."),
    "quiet": ("I like things quiet.", "I prefer quiet places.", "Noise tires me out.", "The user likes it quiet.", "mood: quiet", "I am a calm person.", "Quiet places are right for me.", "Mood: quiet", "I want it quiet.", "I like quiet best of all.", "Give me a quiet place.", "Quiet is best for me.", "I feel good when it is quiet.", "It has to be quiet.", "I need it quiet."),
    "lively": ("I like things lively.", "I love a lively crowd.", "I get bored when it is too calm.", "The user likes it lively.", "mood: lively", "I enjoy noise and people.", "Lively places are right for me.", "Mood: lively", "I want it lively.", "I like lively places.", "Give me a lively place.", "Lively is best for me.", "I feel good when it is lively.", "It has to be lively.", "I need it lively."),
    "indoor": ("I prefer to stay indoors.", "I would rather be inside.", "The user likes indoor places.", "setting: indoor", "I do not like to be outside.", "I like to have a roof over my head.", "Indoor places are right for me.", "Setting: indoor", "I am happy indoors.", "I like it best indoors.", "I want to be inside.", "Indoors is best for me.", "I stay indoors when I can.", "I spend my time indoors.", "Inside is best for me.", "I feel good indoors.", "I feel best indoors."),
    "outdoor": ("I prefer to be outdoors.", "I would rather be outside.", "The user likes outdoor places.", "setting: outdoor", "I do not like to be inside.", "I want fresh air.", "Outdoor places are right for me.", "Setting: outdoor", "I am happy outdoors.", "I like it best outdoors.", "I want to be outside.", "Outdoors is best for me.", "I go outdoors when I can.", "I spend my time outdoors.", "Outside is best for me.", "I feel good outdoors.", "I feel best outdoors."),
    "cheap": ("I am on a tight budget.", "Money is short at the moment.", "I do not want to spend much.", "The user has little money.", "budget: cheap", "I look for cheap things.", "Cheap things are right for me.", "Budget: cheap", "I want it cheap.", "I need cheap things.", "Cheap is best for me.", "I have very little money.", "Give me something cheap.", "I must not spend money.", "It has to be cheap for me."),
    "fancy": ("Money is no problem.", "I like fancy things.", "I am happy to pay for luxury.", "The user likes luxury.", "budget: fancy", "Only the best is good enough for me.", "Fancy things are right for me.", "Budget: fancy", "I want it fancy.", "I need fancy things.", "Fancy is best for me.", "I have money.", "Give me something fancy.", "Luxury is what I love.", "It has to be fancy for me."),
    "formal": ("Please be formal with me.", "I prefer a formal style.", "The user wants formal answers.", "tone: formal", "Speak to me politely.", "Use formal language.", "Formal language is right for me.", "Tone: formal", "Be formal.", "I like it formal.", "Please talk in a formal way.", "Answer me in a formal way."),
    "casual": ("Keep it casual with me.", "I like a relaxed and chatty style.", "The user wants casual answers.", "tone: casual", "Talk to me in a relaxed way.", "Use casual language.", "Casual language is right for me.", "Tone: casual", "Be casual.", "I like it casual.", "Please talk in a casual way.", "Answer me in a casual way."),
    "pirate": ("Talk like a pirate.", "I want you to sound like a pirate.", "The user wants pirate answers.", "tone: pirate", "Answer me as a pirate would.", "Use pirate language.", "Pirate language is right for me.", "Tone: pirate", "Be a pirate.", "I like it when you are a pirate.", "Please talk in a pirate way.", "Speak to me like a pirate."),
    "brief": ("Keep answers short.", "I want brief answers.", "One sentence is enough for me.", "The user wants brief answers.", "length: short", "Do not write much.", "Short answers are right for me.", "Length: short", "Keep it short.", "Be brief.", "I like short answers.", "Please do not write much.", "Give me short answers."),
    "detailed": ("I like detailed answers.", "Give me all the details.", "The user wants detailed answers.", "length: long", "Explain things at length.", "I like long answers.", "Long answers are right for me.", "Length: long", "I like it detailed.", "Be detailed.", "I want long answers.", "Please write much.", "Give me detailed answers."),
}

_HOBBY = ("I love {}.", "My hobby is {}.", "I spend my free time on {}.", "The user's hobby is {}.", "hobby: {}", "I am really into {}.", "I am a big fan of {}.", "Hobby: {}", "I like {} best of all.", "I enjoy {}.")
for _hobby in ("gardening", "space", "music", "cycling", "baking", "history"):
    ATTRIBUTE_FACTS[_hobby] = tuple(text.format(_hobby) for text in _HOBBY)

COMPANIONS: dict[str, str] = {"dog": "pets", "cat": "pets", "daughter": "people", "son": "people", "partner": "people", "friend": "people"}
"""Kinds of companions and the pool their names come from."""

KINDS: dict[str, str] = {"name": "people", "city": "cities", **COMPANIONS}
"""Every kind of fact whose value is copied, letter by letter, into the answer."""

_COMPANION = (
    "My {kind} is called {name}.", "I have a {kind} called {name}.", "I have a {kind} named {name}.", "The name of my {kind} is {name}.",
    "{name} is my {kind}.", "The user has a {kind} named {name}.", "The user's {kind} is called {name}.", "{kind}: {name}", "{Kind}: {name}",
    "My {kind}'s name is {name}.", "My {kind} {name} is with me.", "I have a {kind}, {name}.",
    "My {kind} is {name}.", "I call my {kind} {name}.", "My {kind} has the name {name}.", "My {kind} answers to {name}.", "I love my {kind} {name}.", "I live with my {kind} {name}.", "My {kind} ({name}) is with me.", "My {kind}: {name}",
    "I am with {name}, my {kind}.", "I have one {kind} and the name is {name}.", "My {kind} likes the name {name}.", "You know my {kind} {name}.", "The {kind} is called {name}.", "{name}, my {kind}, is with me.", "My {kind} takes the name {name}.",
    "My {kind} goes by {name}.",
)
COPIED_FACTS: dict[str, tuple[str, ...]] = {
    "name": ("My name is {name}.", "I am {name}.", "Call me {name}.", "The user is called {name}.", "name: {name}", "Name: {name}", "I'm {name}.", "The user's name is {name}.", "{name} is my name.", "You can call me {name}.", "People call me {name}.", "The name is {name}.", "I go by {name}.", "I have the name {name}.", "Please call me {name}."),
    "city": ("I live in {name}.", "My home is in {name}.", "I am from {name}.", "The user lives in {name}.", "city: {name}", "City: {name}", "I moved to {name} last year.", "{name} is my home town.", "I am based in {name}.", "My house is in {name}.", "I have a house in {name}.", "I stay in {name}.", "My home town is {name}.", "My city is {name}.", "I am at home in {name}.", "I have been in {name} for years.", "My flat is in {name}."),
} | {kind: tuple(text.replace("{kind}", kind).replace("{Kind}", kind.capitalize()) for text in _COMPANION) for kind in COMPANIONS}

DISTRACTORS: tuple[str, ...] = (
    "My boss is called {people}.", "My neighbour {people} is nice.", "My doctor is called {people}.", "I grew up in {cities}.", "I once went to {cities}.",
    "My teacher was called {people}.", "My colleague {people} likes tea.", "I would like to see {cities} one day.", "My aunt {people} lives in {cities}.",
    "My first horse was called {pets}.", "My neighbour has a parrot called {pets}.",
)
"""Sentences with names that no answer may use."""

FILLERS: tuple[str, ...] = tuple(
    line.strip()
    for line in """
I work as a nurse.
I work in an office.
I am a teacher at a primary school.
I drive to work every day.
I get up at six in the morning.
I go to bed late.
My car is old and red.
I play chess on Mondays.
I have two brothers.
My favourite colour is blue.
I wear glasses.
I am learning Spanish.
I drink too much coffee.
I take the bus to the station.
My phone is always in my bag.
I studied law for two years.
I am left-handed.
The weather has been bad for weeks.
We moved house in spring.
I pay my rent at the end of the month.
I have a meeting every Tuesday.
I broke my arm last winter.
My shoes are too small.
I like the smell of rain.
I do the laundry on Sundays.
My sister is a pilot.
My parents live by the sea.
I am thirty-four years old.
I was born in May.
I am tall and thin.
I read the news every evening.
I do not own a television.
My desk is full of paper.
I forgot my umbrella at the office.
I am saving for a new kitchen.
I like green tea.
I have been very busy this year.
There is a big tree in front of my window.
The neighbours are noisy at night.
My computer is slow.
I write a diary.
I collect stamps and coins.
I am afraid of spiders.
I sleep badly when the moon is full.
I often lose my keys.
The dentist sees me in June.
I need new curtains.
I like long train rides.
My grandmother taught me to knit.
I sing in the shower.
The lift in our house is broken.
I have a small balcony.
Last week I painted the door.
I am good with numbers.
I do not like loud phones.
I always carry a pen.
The office closes at five.
I buy bread at the corner shop.
I run a small shop.
I hope to retire soon.
job: nurse
age: 41
height: 1.75 m
language: English
married: yes
""".strip().splitlines()
)
