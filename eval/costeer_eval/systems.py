"""What is compared: each system turns an item into a request to one of the servers."""
from collections.abc import Callable
from dataclasses import dataclass

from .formats import Item

SYSTEM_MESSAGE = "You are a helpful assistant."


@dataclass(frozen=True)
class System:
    """A way to answer."""

    name: str
    url: str
    """Of an OpenAI-compatible server, /v1 included."""
    body: Callable[[Item], dict]
    """Messages, and what is private; the rest of a request is the same for all."""
    strength: float | None = None


def asked(item: Item, system: str | None = None) -> list[dict[str, str]]:
    head = [] if system is None else [{"role": "system", "content": system}]
    return [*head, {"role": "user", "content": item.question}]


def plain(proxy: str) -> System:
    """The big model alone: a blank context declines whatever is configured, and the proxy passes the question through."""
    return System("plain", proxy, lambda item: {"messages": asked(item), "costeer": {"context": ""}})


def steered(proxy: str, strength: float) -> System:
    """The big model, steered by the context."""
    return System(
        f"steered@{strength:g}",
        proxy,
        lambda item: {"messages": asked(item), "costeer": {"context": item.context, "strength": strength}},
        strength,
    )


def informed(name: str, url: str) -> System:
    """A model with the context in its prompt, where the proxy's private branch has it."""
    return System(name, url, lambda item: {"messages": asked(item, f"{SYSTEM_MESSAGE}\n\n{item.context}")})
