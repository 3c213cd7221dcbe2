"""The grammar of the canonical stream as a checker: for tests, and for debug runs. Repairs nothing.

`Started (Opened Delta* Signed? Closed)* Finished`, at most one part open; a delta is never empty, an opaque block has none, a
signature belongs to reasoning and comes after its words.
"""

from collections.abc import Iterable
from typing import assert_never

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenOpaque,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Signed,
    Started,
    StreamEvent,
)


class GrammarError(Exception):
    """An event that may not come here. A bug of a parser, never the fault of a provider."""


class GrammarChecker:
    """Watches one stream, event by event."""

    def __init__(self) -> None:
        self._is_started = False
        self._is_finished = False
        self._part: OpenText | OpenThinking | OpenToolCall | OpenOpaque | None = None
        self._is_signed = False
        self._call_ids: set[str] = set()

    def check(self, event: StreamEvent) -> None:
        """Take one event. Raises `GrammarError` if it may not come now."""
        if self._is_finished:
            raise GrammarError(f"{event} came after Finished")
        if self._is_started is isinstance(event, Started):
            raise GrammarError(f"{event} came twice" if self._is_started else f"{event} came before Started")
        match event:
            case Started():
                self._is_started = True
            case Opened():
                self._opened(event)
            case Delta():
                self._delta(event)
            case Signed():
                self._signed(event)
            case Closed() | Finished():
                self._ended(event)
            case _:
                assert_never(event)

    def _opened(self, event: Opened) -> None:
        if self._part is not None:
            raise GrammarError(f"{event} came while {self._part} is open")
        self._part, self._is_signed = event.part, False
        if isinstance(event.part, OpenToolCall):
            if not event.part.id or not event.part.name:
                raise GrammarError(f"{event} lacks an id or a name")
            if event.part.id in self._call_ids:
                raise GrammarError(f"{event} has the id of an earlier call")
            self._call_ids.add(event.part.id)

    def _delta(self, event: Delta) -> None:
        if not event.text:
            raise GrammarError("an empty Delta")
        if self._part is None or isinstance(self._part, OpenOpaque):
            raise GrammarError(f"{event} has no part to belong to")
        if self._is_signed:
            raise GrammarError(f"{event} came after the signature")

    def _signed(self, event: Signed) -> None:
        if not isinstance(self._part, OpenThinking):
            raise GrammarError(f"{event} without reasoning")
        self._is_signed = True

    def _ended(self, event: Closed | Finished) -> None:
        is_open = self._part is not None
        if is_open is isinstance(event, Finished):
            raise GrammarError(f"Finished while {self._part} is open" if is_open else "Closed without an open part")
        self._part = None
        self._is_finished = isinstance(event, Finished)

    def end(self) -> None:
        """The stream is over. Raises `GrammarError` if it did not finish."""
        if not self._is_finished:
            raise GrammarError("the stream did not finish")


def checked(events: Iterable[StreamEvent]) -> list[StreamEvent]:
    """The events of a whole stream, all of them checked."""
    checker = GrammarChecker()
    kept = list(events)
    for event in kept:
        checker.check(event)
    checker.end()
    return kept
