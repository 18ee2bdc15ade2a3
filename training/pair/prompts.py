"""Composes prompts exactly as the proxy does."""
from .tokenizer import DEFAULT_SYSTEM, END, START


def chatml(system: str | None, user: str) -> str:
    """The chat template, for one question, up to where the answer begins."""
    head = f"{START}system\n{system}{END}\n" if system is not None else ""
    return f"{head}{START}user\n{user}{END}\n{START}assistant\n"


def public(question: str) -> str:
    """The small model's public branch."""
    return chatml(DEFAULT_SYSTEM, question)


def private(question: str, context: str, placement: str = "system") -> str:
    """The small model's private branch: the context after the system message, or before the question."""
    if placement == "system":
        return chatml(f"{DEFAULT_SYSTEM}\n\n{context}", question)
    return chatml(DEFAULT_SYSTEM, f"{context}\n\n{question}")
