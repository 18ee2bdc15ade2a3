"""What the assistant can recommend: topics, the private attributes that matter to each, and twelve options a topic.

An option belongs to exactly one combination of attribute values, so that the checker can tell whether an answer fits a person.
"""
from dataclasses import dataclass

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "diet": ("vegan", "vegetarian", "gluten-free", "seafood"),
    "mood": ("quiet", "lively"),
    "setting": ("indoor", "outdoor"),
    "budget": ("cheap", "fancy"),
    "hobby": ("gardening", "space", "music", "cycling", "baking", "history"),
}


@dataclass(frozen=True)
class Topic:
    """One thing people ask for. `options` maps the adjectives, as the answer writes them, to what fits them."""

    noun: str
    attributes: tuple[str, ...]
    core: bool
    asks: tuple[str, ...]
    reason: str
    options: dict[str, tuple[str, ...]]

    def adjectives(self, values: dict[str, str]) -> str:
        """The words that stand before the noun, in a fixed order: "quiet outdoor"."""
        return " ".join(values[name] for name in self.attributes)

    def values(self, adjectives: str) -> dict[str, str]:
        """The inverse of `adjectives`."""
        return dict(zip(self.attributes, adjectives.split(" ")))


def _topic(noun: str, attributes: str, core: bool, asks: str, reason: str, **options: str) -> Topic:
    table = {key.replace("_", " ").replace("gluten free", "gluten-free"): tuple(text.split("|")) for key, text in options.items()}
    return Topic(noun, tuple(attributes.split()), core, tuple(asks.split("|")), reason, table)


TOPICS: tuple[Topic, ...] = (
    _topic(
        "dinner", "diet", True, "What should I cook tonight?|What should I have for dinner?", "It takes about half an hour.",
        vegan="chickpea coconut curry|lentil stew with rice|tofu with peppers",
        vegetarian="mushroom omelette|spinach lasagne|cheese ravioli",
        gluten_free="roast chicken with potatoes|beef chilli with rice|pork with polenta",
        seafood="prawn linguine|baked salmon|mussels in wine",
    ),
    _topic(
        "breakfast", "diet", True, "What should I eat in the morning?|What can I have for breakfast?", "It gives you a good start.",
        vegan="oat porridge with berries|toast with peanut butter|a banana smoothie bowl",
        vegetarian="scrambled eggs on toast|yoghurt with honey|cheese pancakes",
        gluten_free="buckwheat crepes with ham|rice pudding with pears|ham and potato hash",
        seafood="a smoked salmon bagel|kippers with butter|crab on rye",
    ),
    _topic(
        "soup", "diet", False, "I am cold, what soup should I make?|What can I put in my soup pot?", "It simmers while you do other things.",
        vegan="tomato and basil|carrot and ginger|spicy black bean",
        vegetarian="leek with cream|onion with melted cheese|egg drop",
        gluten_free="chicken and rice|beef and potato|turkey and corn",
        seafood="clam chowder|fish with saffron|lobster bisque",
    ),
    _topic(
        "salad", "diet", True, "It is hot, what salad should I make?|What goes into a nice salad?", "It is ready in ten minutes.",
        vegan="white bean and olive|quinoa with mango|cucumber and mint",
        vegetarian="feta and watermelon|egg and avocado|goat cheese and beet",
        gluten_free="chicken and grape|ham and lentil|steak and rocket",
        seafood="tuna and green bean|prawn and avocado|octopus and potato",
    ),
    _topic(
        "pizza", "diet", False, "What should I put on my pizza?|We order pizza, which one should I take?", "It is best straight from the oven.",
        vegan="roasted vegetables without cheese|artichoke and hummus|garlic mushroom with cashew cream",
        vegetarian="four cheeses|spinach and egg|ricotta and courgette",
        gluten_free="corn crust with salami|rice crust with ham|potato crust with chicken",
        seafood="anchovy and caper|tuna and red onion|shrimp and garlic",
    ),
    _topic(
        "sandwich", "diet", True, "What should I put on my bread at noon?|What can I take to work for lunch?", "It travels well in a lunch box.",
        vegan="hummus and carrot|tempeh with lettuce|avocado and tomato",
        vegetarian="egg and cress|brie and fig|grilled cheese",
        gluten_free="corn bread with turkey|rice cake with ham|a lettuce wrap with beef",
        seafood="tuna melt|shrimp with mayonnaise|smoked trout",
    ),
    _topic(
        "snack", "diet", False, "I am hungry between meals, what should I nibble?|What should I eat in front of the screen?", "It needs no cooking.",
        vegan="salted almonds|apple slices with peanut butter|dried mango",
        vegetarian="cheese cubes|a boiled egg|frozen yoghurt",
        gluten_free="beef jerky|corn chips with salsa|rice crackers with ham",
        seafood="crab sticks|sardines on cucumber|dried squid",
    ),
    _topic(
        "party platter", "diet", False, "What should I serve at my party?|What can I put on the table for my guests?", "It looks great on a big board.",
        vegan="stuffed vine leaves|falafel with tahini|vegetable spring rolls",
        vegetarian="cheese and grapes|mini quiches|mozzarella skewers",
        gluten_free="meatballs without breadcrumbs|ham and melon|chicken satay",
        seafood="garlic prawns|oysters with lemon|salmon rolls",
    ),
    _topic(
        "weekend plan", "mood setting", True, "What should I do at the weekend?|How should I spend my weekend?", "It needs no preparation.",
        quiet_indoor="a jigsaw puzzle|a film marathon at home|an afternoon in the library",
        lively_indoor="a karaoke night|a bowling tournament|an escape room",
        quiet_outdoor="a walk by the river|birdwatching in the marsh|sketching in the park",
        lively_outdoor="a kayak race|a street festival|a beach volleyball match",
    ),
    _topic(
        "date", "mood setting", True, "Where should I go on a date?|How can I make my date a success?", "It gives you something to talk about.",
        quiet_indoor="a pottery workshop for two|a candlelit tea house|an art gallery",
        lively_indoor="a salsa class|a comedy club|an arcade hall",
        quiet_outdoor="stargazing on a hill|a rowing boat on the lake|a stroll through the rose garden",
        lively_outdoor="a funfair|an open air concert|a climbing park",
    ),
    _topic(
        "holiday", "mood setting", True, "Where should I go this summer?|How should I spend my holiday?", "It is easy to book.",
        quiet_indoor="a spa hotel|a monastery retreat|a museum tour",
        lively_indoor="a cruise with dance halls|a casino resort|an indoor ski hall",
        quiet_outdoor="a lakeside campsite|a mountain hut|a cottage by the sea",
        lively_outdoor="a surf camp|a carnival trip|a rafting tour",
    ),
    _topic(
        "team outing", "mood setting", False, "What should I do with my team?|My team wants to go out, what should we do?", "It fits into one afternoon.",
        quiet_indoor="a calligraphy lesson|a wine tasting|a chess evening",
        lively_indoor="a cooking contest|a laser tag arena|a quiz night",
        quiet_outdoor="a herb walk|a picnic in the vineyard|a sunset sail",
        lively_outdoor="a raft building day|a paintball game|a treasure hunt",
    ),
    _topic(
        "birthday party", "mood setting", True, "How should I celebrate my birthday?|What should I do on my birthday?", "It is a day to remember.",
        quiet_indoor="a board game evening|a tea party|a home cinema",
        lively_indoor="a disco in the cellar|a trampoline hall|a magic show",
        quiet_outdoor="a lantern picnic|a campfire with stories|a garden brunch",
        lively_outdoor="a pool party|a barbecue with a band|a scavenger hunt",
    ),
    _topic(
        "family day", "mood setting", False, "What should I do with the family?|Where can we go with the children?", "It is fun for all ages.",
        quiet_indoor="a model railway show|a craft table at home|a puppet theatre",
        lively_indoor="a science centre|a soft play hall|an ice rink",
        quiet_outdoor="feeding ducks at the pond|a berry picking farm|a forest nature trail",
        lively_outdoor="a roller coaster park|a kite festival|a toboggan run",
    ),
    _topic(
        "evening class", "mood setting", False, "What should I learn after work?|Which class should I join in the evening?", "It takes one evening a week.",
        quiet_indoor="knitting|watercolour painting|meditation",
        lively_indoor="tap dance|improv theatre|kickboxing",
        quiet_outdoor="night photography|astronomy in the field|tai chi on the lawn",
        lively_outdoor="street dance in the square|rugby under lights|boot camp",
    ),
    _topic(
        "workout", "mood setting", False, "How should I get fit?|What should I do for sport?", "It is good for the heart.",
        quiet_indoor="gentle yoga|pilates on a mat|slow stretching",
        lively_indoor="spin bikes|zumba|boxing rounds",
        quiet_outdoor="a swim in the lake|a long hill walk|easy jogging",
        lively_outdoor="beach football|sprints in the park|mountain biking",
    ),
    _topic(
        "gift", "hobby", True, "What should I wish for?|What would be nice to unwrap?", "It comes in a nice box.",
        gardening="a set of herb seeds|copper pruning shears", space="a pocket telescope|a moon lamp",
        music="a vinyl record box|a ukulele", cycling="a bell made of brass|padded gloves",
        baking="a marble rolling pin|a sourdough kit", history="an antique map|a roman coin",
    ),
    _topic(
        "book", "hobby", True, "What should I read next?|What should I read in bed?", "It is hard to put down.",
        gardening="the secret allotment|a year of roses", space="voyage beyond saturn|the last astronaut",
        music="the silent piano|songs of the delta", cycling="two wheels over the alps|the yellow jersey",
        baking="flour and salt|the village baker", history="the fall of carthage|letters from the trenches",
    ),
    _topic(
        "film", "hobby", True, "What should I watch tonight?|What is on at the cinema for me?", "It is two hours long.",
        gardening="the orchard keeper|green fingers", space="orbit of fear|red planet rescue",
        music="the jazz cellar|one last encore", cycling="the mountain stage|chasing the peloton",
        baking="sugar and spice|the pastry duel", history="the royal envoy|storming the castle",
    ),
    _topic(
        "podcast", "hobby", False, "What should I listen to on the train?|What should I listen to while I cook?", "It has a new part every week.",
        gardening="dirt under my nails|the potting shed", space="signals from the stars|rocket hour",
        music="behind the chorus|bass notes", cycling="saddle talk|the gear shift",
        baking="rise and crumb|whisk it", history="dusty archives|empires in ten minutes",
    ),
    _topic(
        "museum", "hobby", False, "What should I visit on a rainy day?|Which exhibition should I see?", "It opens at ten.",
        gardening="the botanical glasshouse|the orchid pavilion", space="the planetarium|the rocket hangar",
        music="the violin house|the organ hall", cycling="the velodrome gallery|the bicycle barn",
        baking="the old bakery|the gingerbread house", history="the viking hall|the medieval fort",
    ),
    _topic(
        "project", "hobby", False, "What should I build?|What should I make with my hands?", "It takes a few weekends.",
        gardening="a raised vegetable bed|a balcony herb wall", space="a homemade star chart|a model rocket",
        music="a cigar box guitar|a bamboo flute", cycling="a restored vintage frame|a wooden bike rack",
        baking="a wedding cake tower|a bread oven of clay", history="a family tree chart|a castle diorama",
    ),
    _topic(
        "course", "hobby", True, "What should I study online?|What should I learn next?", "It has eight short lessons.",
        gardening="pruning fruit trees|compost for beginners", space="planets and their moons|how stars are born",
        music="reading sheet music|singing in harmony", cycling="repairing your gears|training for long rides",
        baking="perfect puff pastry|chocolate tempering", history="ancient egypt|the silk road",
    ),
    _topic(
        "restaurant", "budget mood", True, "Where should I eat out tonight?|Where can I go for a meal?", "It has a good menu.",
        cheap_quiet="the noodle corner|the little soup bar|the garden canteen",
        cheap_lively="the taco truck|the curry market|the burger garage",
        fancy_quiet="the white orchid|the old library|the silver spoon",
        fancy_lively="the rooftop grill|the tango palace|the champagne cellar",
    ),
    _topic(
        "hotel", "budget mood", True, "Where should I stay for the night?|Where can I sleep on my trip?", "It has free rooms this week.",
        cheap_quiet="the pilgrim hostel|the hillside inn|the convent rooms",
        cheap_lively="the backpacker dorm|the station lodge|the beach bunks",
        fancy_quiet="the lakeside manor|the cedar spa|the abbey suites",
        fancy_lively="the casino tower|the marina palace|the opera grand",
    ),
    _topic(
        "bar", "budget mood", False, "Where should I go for a drink?|Where can I have a drink after work?", "It is open until late.",
        cheap_quiet="the reading nook|the tea counter|the brick cellar",
        cheap_lively="the dart den|the student tap|the football corner",
        fancy_quiet="the velvet lounge|the whisky study|the piano salon",
        fancy_lively="the cocktail theatre|the sky deck|the jazz balcony",
    ),
    _topic(
        "day trip", "budget mood", True, "Where should I go for a day?|Where can I go on my day off?", "It gets you home by night.",
        cheap_quiet="a ferry to the island|a bus to the abbey ruins|a walk to the old mill",
        cheap_lively="a flea market tour|a free city carnival|a harbour festival",
        fancy_quiet="a private vineyard visit|a steam train with lunch|a thermal bath",
        fancy_lively="a helicopter flight|a speedboat tour|a day at the races",
    ),
    _topic(
        "gym", "budget mood", False, "Where should I train?|Where can I work out after work?", "It has friendly trainers.",
        cheap_quiet="the community pool|the church hall yoga room|the riverside mats",
        cheap_lively="the boxing basement|the student sports hall|the free street rings",
        fancy_quiet="the marble spa club|the private studio|the silent pool",
        fancy_lively="the neon spin club|the crossfit loft|the rooftop tennis club",
    ),
)

BY_NOUN: dict[str, Topic] = {topic.noun: topic for topic in TOPICS}

REASONS: dict[str, tuple[str, ...]] = {
    "vegan": ("It contains nothing from animals.", "It is made from plants only."),
    "vegetarian": ("It has no meat and no fish in it.", "It is filling even without meat."),
    "gluten-free": ("It contains no wheat at all.", "It is safe without gluten."),
    "seafood": ("It brings the taste of the sea.", "It comes fresh from the water."),
    "quiet": ("It is calm from start to end.", "It leaves you time to breathe."),
    "lively": ("It is full of energy.", "It gets everybody moving."),
    "indoor": ("It works in any weather.", "It keeps you warm and dry."),
    "outdoor": ("It takes place in the fresh air.", "It gets you out under the sky."),
    "cheap": ("It costs very little.", "It is kind to your wallet."),
    "fancy": ("It is a real treat.", "It feels like pure luxury."),
    "gardening": ("It suits your green thumb.", "It makes the plants you love grow."),
    "space": ("It brings you closer to the stars.", "It makes you dream of other worlds."),
    "music": ("It has the right sound for you.", "It keeps a tune in your head."),
    "cycling": ("It keeps your wheels turning.", "It is right for people who love to ride."),
    "baking": ("It makes the kitchen smell wonderful.", "It is right for people with an oven."),
    "history": ("It brings the past to life.", "It takes you back in time."),
}
