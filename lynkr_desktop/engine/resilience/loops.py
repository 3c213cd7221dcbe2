"""Notices conversations that run away: the same tool call over and over, turns without end, money spent fast. Warns first.

It stops only what it is told to stop.

A program that loops costs money while nobody looks. But a long session may well run the same tests a dozen times, so the newest
calls alone are looked at, and the user is told once for each conversation.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from lynkr_desktop.config.settings import Limits
from lynkr_desktop.engine.chat.request import ChatRequest, ToolCallPart, kinds_in
from lynkr_desktop.engine.events import Event, RequestFinished, Trouble
from lynkr_desktop.errors import ClientError

SAME_CALLS: Final = 8
NEWEST_CALLS: Final = 64
MOST_TURNS: Final = 300
QUIET_SECONDS: Final = 600.0  # a warning ends when its conversation has been silent for so long
_REMEMBERED: Final = 256
_REMEMBERED_COSTS: Final = 500
RATE_SECONDS: Final = 600.0
_TITLE: Final = "A program may be running away."


def circle_in(request: ChatRequest) -> str:
    """What looks like a circle, in words; empty if nothing does."""
    answers = [message for message in request.messages if message.role == "assistant"]
    turns = len(answers)
    newest = list[ToolCallPart]()
    if ToolCallPart in kinds_in(answers):
        for message in reversed(answers):
            newest += [part for part in message.parts if isinstance(part, ToolCallPart)]
            if len(newest) >= NEWEST_CALLS:
                break
    if len(newest) >= SAME_CALLS:
        counts = Counter((part.name, part.arguments) for part in islice(newest, NEWEST_CALLS))
        (name, _), times = counts.most_common(1)[0]
        if times >= SAME_CALLS:
            return f"{name[:80]} was called {times} times with the same arguments."
    return f"The conversation has {turns} turns." if turns > MOST_TURNS else ""


class SpendRate:
    """What conversations spent in the last ten minutes. Bounded; seconds are passed in."""

    def __init__(self) -> None:
        self._spent: OrderedDict[str, deque[tuple[float, float]]] = OrderedDict()

    def add(self, session: str, now: float, usd: float) -> None:
        """A conversation spent something."""
        spent = self._spent.setdefault(session, deque(maxlen=_REMEMBERED_COSTS))
        spent.append((now, usd))
        self._spent.move_to_end(session)
        if len(self._spent) > _REMEMBERED:
            self._spent.popitem(last=False)

    def of(self, session: str, now: float) -> float:
        """USD of a conversation in the last ten minutes."""
        spent = self._spent.get(session)
        if spent is None:
            return 0.0
        while spent and now - spent[0][0] > RATE_SECONDS:
            spent.popleft()
        return sum(usd for _, usd in spent)


class LoopWatch:
    """Looks at each request. `tell` takes what the user should see; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], tell: Callable[[Trouble], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._seen: OrderedDict[str, float] = OrderedDict()  # conversations told of, and when they last went in circles
        self._shown: set[str] = set()
        self._rates = SpendRate()

    def hear(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, RequestFinished) and event.exchange.cost_usd not in (None, "0"):
            self._rates.add(event.exchange.session, self._clock(), float(event.exchange.cost_usd or 0))

    def look(self, request: ChatRequest, client: str, session: str, limits: Limits) -> str:
        """The warning for the client; empty if there is none. Raises `ClientError(429)` if running away is to be stopped."""
        self.refresh()
        key = f"loop-{session or client}"
        found = circle_in(request) or self._fast_spending(session, limits)
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
        if limits.stops_loops:
            remedy = "Begin a new conversation, or switch the setting limits.stops_loops off."
            raise ClientError("This conversation runs away, and Lynkr is set to stop that.", f"{found} {remedy}", status=429)
        return found

    def _fast_spending(self, session: str, limits: Limits) -> str:
        spent = self._rates.of(session, self._clock()) if session else 0.0
        return f"The conversation spent ${spent:.2f} in the last ten minutes." if spent > limits.fast_spending_usd else ""

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
