"""The programs that ask: several at once, in two dialects, streamed and whole, some of which leave early or send nonsense.

Each answer is judged: a whole one in its dialect, or a failure told as the dialect tells it. Anything else is illegal, but for
connections that fail while the program is known to be gone.
"""

import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from tests.fakes.caller import Reply, events_of
from tests.fakes.dialects import CHAT, MESSAGES, Dialect

PATIENCE: Final = 60.0
_TASKS: Final = (
    "Fix the typo in the README.",
    "Explain what main does.",
    "Refactor the scheduler across all modules and prove that it cannot deadlock.",
    "Design a migration of the billing database without downtime, with rollback, and write its tests.",
)


@dataclass(slots=True)
class Outcome:
    """What a client saw of one request."""

    kind: str  # answered, broken (told inside the stream), refused, left, gone (no connection)
    status: int = 0
    words: str = ""


@dataclass(slots=True)
class Crowd:
    """All clients. `place` gives host, port and token now; `is_gone` whether the program was away at any time since a moment."""

    place: Callable[[], tuple[str, int, str]]
    is_gone: Callable[[float], bool]
    chance: random.Random
    seen: dict[str, Outcome] = field(default_factory=dict)
    illegal: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    async def client(self, name: str, until: float, gap_seconds: float) -> None:
        """One program that asks again and again."""
        number = 0
        while monotonic() < until:
            number += 1
            await self._one(f"{name}-{number}")
            await asyncio.sleep(self.chance.expovariate(1 / gap_seconds))

    async def _one(self, nonce: str) -> None:
        began = monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                outcome = await self._asked(nonce)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            await asyncio.sleep(0.3)  # so that a kill that happens just now is known
            outcome = Outcome("gone", words=repr(error))
            if not self.is_gone(began):
                self.illegal.append(f"{nonce}: {error!r}")
        except TimeoutError:
            outcome = Outcome("hangs")
            self.illegal.append(f"{nonce}: no end within {PATIENCE:g} s")
        except AssertionError as error:
            outcome = Outcome("illegal")
            if not self.is_gone(began):
                self.illegal.append(f"{nonce}: {str(error)[:300]}")
        self.seen[nonce] = outcome
        self.counts[outcome.kind if outcome.kind != "refused" else f"refused {outcome.status}"] += 1

    async def _asked(self, nonce: str) -> Outcome:
        chance = self.chance
        dialect: Dialect = chance.choice((MESSAGES, CHAT))
        is_streamed, odd = chance.random() < 0.7, chance.random()
        tools = ("read_file",) if chance.random() < 0.5 else ()
        body: Any = dialect.ask(f"nonce-{nonce}. {chance.choice(_TASKS)}", is_streamed=is_streamed, tools=tools)
        if odd < 0.02:
            body = b'{"model": "x", "messages": [{'
        elif odd < 0.04:
            body["messages"] = "not a list"
        reader, writer = await self._send(dialect, body, nonce)
        try:
            if 0.04 <= odd < 0.09:
                return await self._left(reader)
            reply = await _read(reader)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        return _judged(dialect, reply)

    async def _send(self, dialect: Dialect, body: Any, nonce: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port, token = self.place()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = (
            f"POST {dialect.path} HTTP/1.1",
            f"Host: {host}:{port}",
            "Content-Type: application/json",
            f"Authorization: Bearer {token}",
            f"x-lynkr-session-id: soak-{nonce}",
            f"User-Agent: {nonce.rpartition('-')[0]}",
            f"Content-Length: {len(content)}",
            "Connection: close",
        )
        reader, writer = await asyncio.open_connection(host, port, limit=2**22)
        writer.write("\r\n".join((*lines, "", "")).encode() + content)
        return reader, writer

    async def _left(self, reader: asyncio.StreamReader) -> Outcome:
        """Hang up at once, or after the first bytes."""
        if self.chance.random() < 0.5:
            await reader.read(1)
        return Outcome("left")


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" in headers:
        return Reply(int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"])))
    body = bytearray()
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return Reply(int(first.split()[1]), headers, bytes(body))


def _judged(dialect: Dialect, reply: Reply) -> Outcome:
    """Raises `AssertionError` for what the dialect does not know."""
    if reply.status != 200:
        assert re.fullmatch(r"4\d\d|5\d\d", str(reply.status)), reply.status
        try:
            return Outcome("refused", reply.status, dialect.error_of(json.loads(reply.body)))
        except (KeyError, ValueError, TypeError) as error:
            raise AssertionError(f"{reply.status} {error!r} {reply.body[:200]!r}") from error
    if reply.headers["content-type"].startswith("text/event-stream"):
        last: Any = next((event for event in reversed(events_of(reply.body)) if event != "[DONE]"), {})
        if "error" in last:
            return Outcome("broken", 200, dialect.error_of(last))
    try:
        heard = dialect.heard(reply)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise AssertionError(f"{error!r} {reply.body[-200:]!r}") from error
    assert heard.text or heard.calls, "a success without content"
    return Outcome("answered", 200)
