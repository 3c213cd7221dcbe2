"""Closed-loop load over raw connections: each sends its next request when the last answer is complete. Each body is new.

Every answer is checked: its status, and the number of words in it. So a fast wrong answer is an error, not a good number.
"""

import asyncio
import itertools
import json
import re
import statistics
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlsplit

from tests.bench.upstream import WORD

_NONCE = "0000000000"
_SERIAL = itertools.count(1)
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]+)[^\r\n]*\r\n")


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: the address, a body with a nonce in it, extra header lines, and how many words must come back."""

    url: str
    body: bytes
    headers: tuple[str, ...] = ()
    words: int = 1

    def request(self) -> bytes:
        """The bytes of one request, different each time."""
        parts = urlsplit(self.url)
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json", *self.headers]
        head = "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode()
        return head + self.body.replace(_NONCE.encode(), b"%010d" % next(_SERIAL), 1)


@dataclass(slots=True)
class Outcome:
    """What came of it. Times in seconds, one for each good answer."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    first_words: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return len(self.times) / self.seconds

    @property
    def median_ms(self) -> float:
        """Of whole answers."""
        return statistics.median(self.times) * 1000

    @property
    def median_first_word_ms(self) -> float:
        """Until the first word of a stream."""
        return statistics.median(self.first_words) * 1000


def body_of(wire: str, size: int, words: int = 0) -> bytes:
    """A request like a coding program's, of about `size` bytes; streamed if `words` is not 0."""
    unit = {"role": "user", "content": "Please read src/app.py and tell me what the function `main` does with its arguments. "}
    messages: list[dict[str, str]] = [{"role": "user", "content": f"Session {_NONCE}. Explain."}]
    filler = unit["content"]
    while len(json.dumps(messages)) < size - 400:
        messages.append({"role": "assistant" if len(messages) % 2 else "user", "content": filler * min(40, max(1, size // 400))})
    if messages[-1]["role"] == "assistant":
        messages.append(unit)
    body = {"model": "bench", "messages": messages, "max_tokens": words or 1}
    if words:
        body["stream"] = True
        if wire == "openai":
            body["stream_options"] = {"include_usage": True}
    return json.dumps(body).encode()


async def run(load: Load, connections: int, *, seconds: float = 60.0, requests: int = 10**9) -> Outcome:
    """Ask until the time is over or the number reached."""
    outcome = Outcome()
    left = itertools.count(requests, -1)
    started = perf_counter()
    until = started + seconds

    async def one_connection() -> None:
        parts = urlsplit(load.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**20)
        try:
            while perf_counter() < until and next(left) > 0:
                began = perf_counter()
                writer.write(load.request())
                await _one_answer(reader, load.words, began, outcome)
        finally:
            writer.close()

    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(one_connection() for _ in range(connections)))
    outcome.seconds = perf_counter() - started
    return outcome


async def checked(asked: Load, connections: int, *, seconds: float = 60.0, requests: int = 10**9) -> Outcome:
    """Run a load. Raises `RuntimeError` if an answer was wrong."""
    outcome = await run(asked, connections, seconds=seconds, requests=requests)
    if outcome.errors:
        raise RuntimeError(f"{len(outcome.errors)} wrong answers from {asked.url}; the first: {outcome.errors[0]}")
    return outcome


async def _one_answer(reader: asyncio.StreamReader, words: int, began: float, outcome: Outcome) -> None:
    """Read one answer whole, and note its times or what is wrong with it."""
    head = await reader.readuntil(b"\r\n\r\n")
    first_word = 0.0
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    if length:
        text = await reader.readexactly(int(length[1]))
    else:
        raw = bytearray()
        while not raw.endswith(b"0\r\n\r\n"):
            piece = await reader.read(2**18)
            if not piece:
                outcome.errors.append("the connection broke off")
                return
            raw += piece
            if not first_word and WORD in raw:
                first_word = perf_counter() - began
        text = _without_chunks(raw)
    finished = perf_counter()
    if (status := head[9:12]) != b"200":
        outcome.errors.append(f"status {status.decode()}: {text[:200]!r}")
    elif (seen := text.count(WORD)) != words:
        outcome.errors.append(f"{seen} of {words} words came through")
    else:
        outcome.times.append(finished - began)
        outcome.first_words.append(first_word)


def _without_chunks(raw: bytearray) -> bytes:
    """The body of a chunked answer: a border may cut a word."""
    parts, position = [], 0
    while found := _CHUNK_SIZE.match(raw, position):
        start, size = found.end(), int(found[1], 16)
        parts.append(raw[start : start + size])
        position = start + size + 2
    return b"".join(parts)
