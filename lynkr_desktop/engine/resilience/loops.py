"""Notices conversations that go in circles: the same tool call over and over, or turns without end. Warns; stops only if told to.

A program that loops costs money while nobody looks. But a long session may well run the same tests a dozen times, so the newest
calls alone are looked at, and the user is told once for each conversation.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Final

from lynkr_desktop.engine.chat.request import ChatRequest, ToolCallPart
from lynkr_desktop.engine.events import Trouble
from lynkr_desktop.errors import ClientError

SAME_CALLS: Final = 8
NEWEST_CALLS: Final = 64
MOST_TURNS: Final = 300
QUIET_SECONDS: Final = 600.0  # a warning ends when its conversation has been silent for so long
_REMEMBERED: Final = 256
_TITLE: Final = "A program may be going in circles."


def circle_in(request: ChatRequest) -> str:
    """What looks like a circle, in words; empty if nothing does."""
    turns = 0
    newest = list[ToolCallPart]()
    for message in reversed(request.messages):
        if message.role == "assistant":
            turns += 1
            if len(newest) < NEWEST_CALLS:
                newest += [part for part in message.parts if isinstance(part, ToolCallPart)]
    if len(newest) >= SAME_CALLS:
        counts = Counter((part.name, part.arguments) for part in islice(newest, NEWEST_CALLS))
        (name, _), times = counts.most_common(1)[0]
        if times >= SAME_CALLS:
            return f"{name[:80]} was called {times} times with the same arguments."
    return f"The conversation has {turns} turns." if turns > MOST_TURNS else ""


class LoopWatch:
    """Looks at each request. `tell` takes what the user should see; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], tell: Callable[[Trouble], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._seen: OrderedDict[str, float] = OrderedDict()  # conversations told of, and when they last went in circles
        self._shown: set[str] = set()

    def look(self, request: ChatRequest, client: str, session: str, *, stops: bool) -> str:
        """The warning for the client; empty if there is none. Raises `ClientError(429)` if circles are to be stopped."""
        self.refresh()
        key = f"loop-{session or client}"
        found = circle_in(request)
        if not found:
            self._end(key)
            return ""
        if key not in self._seen:
            self._shown.add(key)
            self._tell(Trouble(key, _TITLE, f"{client or 'A program'}: {found} Look at it, and stop it there if need be."))
        self._seen[key] = self._clock()
        self._seen.move_to_end(key)
        while len(self._seen) > _REMEMBERED:
            self._end(next(iter(self._seen)))
            self._seen.popitem(last=False)
        if stops:
            remedy = "Begin a new conversation, or switch the setting limits.stops_loops off."
            raise ClientError(
                "This conversation goes in circles, and Lynkr is set to stop that.", f"{found} {remedy}", status=429
            )
        return found

    def refresh(self) -> None:
        """End the warnings of conversations that have fallen silent."""
        if self._shown:
            oldest = self._clock() - QUIET_SECONDS
            for key in [key for key in self._shown if self._seen[key] < oldest]:
                self._end(key)

    def _end(self, key: str) -> None:
        if key in self._shown:
            self._shown.discard(key)
            self._tell(Trouble(key, "", is_over=True))
