"""Two scripted providers that misbehave by chance, can be down, and keep a log of every request that reached them."""

import random
import re
from collections import defaultdict
from typing import Final

from tests.fakes.script import (
    EMPTY,
    GARBAGE,
    HTML,
    Answer,
    CallTool,
    Delivery,
    Ending,
    Hang,
    Refuse,
    Reset,
    Say,
    Step,
    Tokens,
    dies,
    first_event_is_error,
    say,
)
from tests.fakes.upstream import Received, Upstream, Vendor, _Connection

NONCE: Final = re.compile(rb"nonce-([a-z]+-\d+)")
_KEPT: Final = 500  # requests that the scripted server remembers whole
_LONG: Final = Delivery(gap_seconds=0.01)
_SLOW: Final = Delivery(gap_seconds=0.25)

# What an answer is, and how often.
_WEATHER: Final[tuple[tuple[int, str], ...]] = (
    (45, "short"),
    (12, "long"),
    (4, "slow"),
    (8, "tool"),
    (4, "overloaded"),
    (3, "rate"),
    (3, "broken"),
    (3, "reset"),
    (2, "garbage"),
    (2, "page"),
    (2, "empty"),
    (2, "first event"),
    (3, "dies"),
    (2, "closes"),
    (2, "error event"),
    (1, "falls silent"),
    (1, "never answers"),
)


class Provider(Upstream):
    """A vendor in changing weather. `log` has, by nonce, what each request that came was answered with."""

    def __init__(self, vendor: Vendor, key: str, seed: int) -> None:
        super().__init__(vendor, key)
        self.log: defaultdict[str, list[str]] = defaultdict(list)
        self.told: dict[str, Tokens] = {}  # by nonce, the usage of the last whole answer
        self._chance = random.Random(seed)
        self._port = 0
        self.always = self._next_answer

    def down(self) -> None:
        """Refuse connections from now on, and break off those there are."""
        self._run(self._close())

    def up(self) -> None:
        """Serve again, at the same place."""
        self._run(self._listen())

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(lambda: _Connection(self._serve), "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def _next_answer(self, received: Received) -> Step:
        del self.received[:-_KEPT]
        found = NONCE.search(received.body)
        nonce = found[1].decode() if found else ""
        kind = self._chance.choices([name for _, name in _WEATHER], [weight for weight, _ in _WEATHER])[0]
        self.log[nonce].append(kind)
        return self._answer_of(kind, nonce, has_tools=b'"tools"' in received.body)

    def _answer_of(self, kind: str, nonce: str, *, has_tools: bool) -> Step:
        tokens = Tokens(self._chance.randrange(10, 3000), self._chance.randrange(1, 400))
        words = f"The answer to {nonce}."
        steps: dict[str, Step] = {
            "short": say(words, tokens=tokens),
            "long": say(words * 40, pieces=60, delivery=_LONG, tokens=tokens),
            "slow": say(words * 3, pieces=12, delivery=_SLOW, tokens=tokens),
            "tool": Answer(
                (Say(words), CallTool("read_file", {"path": "src/app.py"})) if has_tools else (Say(words),), tokens=tokens
            ),
            "overloaded": Refuse(529 if self.vendor.name == "anthropic" else 503, "Overloaded."),
            "rate": Refuse(429, "Slow down.", (("retry-after", "1"),)),
            "broken": Refuse(500, "It broke."),
            "reset": Reset(),
            "garbage": GARBAGE,
            "page": HTML,
            "empty": EMPTY,
            "first event": first_event_is_error(),
            "dies": dies(Ending.RESET, after=6),
            "closes": dies(Ending.CLOSE, after=6),
            "error event": dies(Ending.ERROR_EVENT, after=6),
            "falls silent": dies(Ending.HANG, after=6),
            "never answers": Hang(),
        }
        if kind in ("short", "long", "slow", "tool"):
            self.told[nonce] = tokens
        return steps[kind]
