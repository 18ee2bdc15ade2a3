"""One question to an OpenAI-compatible server."""
import threading
import time
from dataclasses import dataclass

import httpx

BUSY = (408, 429, 500, 502, 503, 504)
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.5


class Unreachable(Exception):
    """A server that does not answer at all: going on would fail everything."""


class Refused(Exception):
    """A server that answered this question with an error."""


@dataclass(frozen=True)
class Answer:
    """A text, its length in tokens, and how long it took."""

    text: str
    tokens: int
    seconds: float


class Client:
    """Asks; busy servers and broken connections are tried again, after pauses that double."""

    def __init__(self, timeout_seconds: float = 600, pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        self._http = httpx.Client(timeout=timeout_seconds, trust_env=False)
        self._pause = pause_seconds
        self._models: dict[str, str] = {}
        self._lock = threading.Lock()

    def model(self, url: str) -> str:
        """The first model that the server lists."""
        with self._lock:
            if url not in self._models:
                data = self._send("GET", f"{url}/models", None).get("data") or []
                if not data:
                    raise Refused(f"{url} lists no model")
                self._models[url] = data[0]["id"]
            return self._models[url]

    def ask(self, url: str, body: dict) -> Answer:
        body = {"model": self.model(url), **body}
        began = time.monotonic()
        answer = self._send("POST", f"{url}/chat/completions", body)
        seconds = time.monotonic() - began
        try:
            text = answer["choices"][0]["message"]["content"] or ""
            return Answer(text, answer["usage"]["completion_tokens"], seconds)
        except (KeyError, IndexError, TypeError):
            raise Refused(f"{url} answered with something that is no chat completion") from None

    def _send(self, method: str, url: str, body: dict | None) -> dict:
        trouble: Exception = Unreachable(url)
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(self._pause * 2 ** (attempt - 1))
            try:
                response = self._http.request(method, url, json=body)
            except httpx.TransportError as error:
                trouble = Unreachable(f"{url} does not answer: {error or type(error).__name__}")
                continue
            if response.is_success:
                try:
                    return response.json()
                except ValueError:
                    raise Refused(f"{url} answered with something that is no JSON") from None
            trouble = Refused(f"{url} answered with status {response.status_code}: {message(response)}")
            if response.status_code not in BUSY:
                break
        raise trouble


def message(response: httpx.Response) -> str:
    """What a server says about its error, cut short."""
    try:
        told = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        told = response.text
    return str(told)[:300]
