"""How many requests are served at once, and who waits for a place. Pure: who waits is woken through what it hands in.

The line is fair between programs, not between requests: each program's requests wait in a line of their own and the lines take
turns, so that one program with hundreds of requests holds up itself, and not the one that asks once.
"""

from collections import deque
from typing import Final, Protocol

import msgspec

LAG_SECONDS: Final = 0.5  # a loop that is so late twice in a row has more to do than it can


class Crowd(msgspec.Struct, frozen=True):
    """How full it is: requests inside and in line, how many of each may be, and how many were refused since the start."""

    inside: int
    in_line: int
    limit: int
    is_strained: bool
    refused: int


class Waiter(Protocol):
    """Somebody in line; an asyncio future is one."""

    def done(self) -> bool:
        """Has it been called, or has it gone?"""
        ...

    def set_result(self, is_admitted: bool, /) -> None:
        """Call it: come in, or make room for others."""
        ...


class Admission:
    """`limit` requests inside and as many in line. While `is_strained`, only an empty house takes anybody."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.is_strained = False
        self._inside = 0
        self._in_line = 0
        self._lines: dict[str, deque[Waiter]] = {}  # by program; the first one's turn is next

    @property
    def inside(self) -> int:
        """Requests being served."""
        return self._inside

    @property
    def in_line(self) -> int:
        """Requests that wait."""
        return self._in_line

    def enter(self) -> bool:
        """Come in at once, if there is a place and nobody waits for it. Whoever came in must `leave`."""
        if self._in_line or not self._has_place():
            return False
        self._inside += 1
        return True

    def wait(self, program: str, waiter: Waiter) -> bool:
        """Stand in line. False if that is full, or if there is too much to do to make anybody wait."""
        if self.is_strained:
            return False
        if self._in_line >= self.limit:
            if program in self._lines:
                return False
            newest = self._take(max(self._lines, key=lambda each: len(self._lines[each])), is_newest=True)
            if not newest.done():
                newest.set_result(False)
        self._lines.setdefault(program, deque()).append(waiter)
        self._in_line += 1
        return True

    def give_up(self, program: str, waiter: Waiter) -> bool:
        """Leave the line. False if the waiter was called before, and so has a place or none."""
        line = self._lines.get(program, ())
        if waiter not in line:
            return False
        self._lines[program].remove(waiter)
        self._shorten(program)
        return True

    def leave(self) -> None:
        """A request is over; its place goes to whoever is next."""
        self._inside -= 1
        self.call()

    def call(self) -> None:
        """Call in as many as there are places for."""
        while self._in_line and self._has_place():
            program = next(iter(self._lines))
            waiter = self._take(program)
            if program in self._lines:
                self._lines[program] = self._lines.pop(program)  # the others' turn
            if not waiter.done():
                self._inside += 1
                waiter.set_result(True)

    def send_away(self) -> None:
        """Nobody in line will be served."""
        while self._lines:
            waiter = self._take(next(iter(self._lines)))
            if not waiter.done():
                waiter.set_result(False)

    def _has_place(self) -> bool:
        return self._inside < (1 if self.is_strained else self.limit)

    def _take(self, program: str, *, is_newest: bool = False) -> Waiter:
        line = self._lines[program]
        waiter = line.pop() if is_newest else line.popleft()
        self._shorten(program)
        return waiter

    def _shorten(self, program: str) -> None:
        self._in_line -= 1
        if not self._lines[program]:
            del self._lines[program]


class Strain:
    """Tells from what is measured from time to time whether there is too much to do. `most_bytes` bounds the memory in use."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._lag = 0.0

    def felt(self, lag_seconds: float, memory_bytes: int) -> bool:
        """Take a measurement. A single late turn is no strain: it may be one large request."""
        before, self._lag = self._lag, lag_seconds
        return min(before, lag_seconds) > LAG_SECONDS or memory_bytes > self.most_bytes
