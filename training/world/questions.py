"""How people ask. `HELD_OUT_SHELLS` and the held-out recall questions occur in evaluation items only."""
import random

from .topics import Topic

SHELLS = (
    "Can you suggest {a} {noun}?", "Could you recommend {a} {noun}?", "Please suggest {a} {noun}.", "I need {a} {noun}. What do you think?",
    "I am looking for {a} {noun}.", "Which {noun} would you choose for me?", "Which {noun} should I pick?", "What {noun} do you recommend?",
    "What is a good {noun} for me?", "Do you have an idea for {a} {noun}?", "Any ideas for {a} {noun}?", "Give me {a} {noun}, please.",
    "Help me find {a} {noun}.", "Recommend {a} {noun}.", "I would like {a} {noun}.", "Suggest a nice {noun}.", "What about {a} {noun}?",
    "Which {noun} is the right one?", "I want {a} {noun} for tomorrow.",
)
HELD_OUT_SHELLS = (
    "What {noun} do you have in mind for me?", "Would you pick {a} {noun} for me?", "Please find me a good {noun}.", "Is there {a} {noun} you would suggest?",
)
_GREETINGS = ("Hello, ", "Hi! ", "Hi, ", "Quick question: ", "Hey, ", "Good morning. ", "")

RECALL: dict[str, tuple[str, ...]] = {
    "name": ("What is my name?", "Do you know my name?", "Who am I?", "Tell me my name.", "Can you tell me my name?"),
    "city": ("Where do I live?", "Which city do I live in?", "What is my city?", "Tell me where I live.", "Do you know where I live?"),
}
_COMPANION_RECALL = (
    "What is my {kind} called?", "What is the name of my {kind}?", "Do you know the name of my {kind}?", "Tell me the name of my {kind}.",
    "What is my {kind}'s name?", "Who is my {kind}?",
)
HELD_OUT_RECALL: dict[str, str] = {"name": "Please tell me what my name is.", "city": "What is the city I live in?"}
for _kind in ("dog", "cat", "daughter", "son", "partner", "friend"):
    RECALL[_kind] = tuple(text.format(kind=_kind) for text in _COMPANION_RECALL)
    HELD_OUT_RECALL[_kind] = f"Please tell me what my {_kind} is called."

LIST_QUESTIONS = ("What do you know about me?", "Tell me all you know about me.", "What do you remember about me?", "Which names do you know?")


def fill(shell: str, topic: Topic) -> str:
    """The shell with the topic's noun and its article."""
    return shell.format(a="an" if topic.noun[0] in "aeiou" else "a", noun=topic.noun)


def _typo(rng: random.Random, text: str) -> str:
    places = [i for i in range(1, len(text) - 1) if text[i - 1].isalpha() and text[i].isalpha() and text[i + 1].isalpha()]
    if not places:
        return text
    i = rng.choice(places)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:i] + text[i + 1 :]
    if kind == 1:
        return text[:i] + text[i] + text[i:]
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def roughen(rng: random.Random, text: str) -> str:
    """Greetings, lower case, missing punctuation and typing slips, each now and then."""
    if rng.random() < 0.2:
        text = rng.choice(_GREETINGS) + text[0].lower() * (text[1:2] != " ") + text[0] * (text[1:2] == " ") + text[1:]
    if rng.random() < 0.15:
        text = text.lower()
    if rng.random() < 0.12:
        text = text.rstrip("?.")
    if rng.random() < 0.06:
        text = _typo(rng, text)
    return text


def ask(rng: random.Random, topic: Topic) -> str:
    """A training question about the topic."""
    text = rng.choice(topic.asks) if rng.random() < 0.25 else fill(rng.choice(SHELLS), topic)
    return roughen(rng, text)
