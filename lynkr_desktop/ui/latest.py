"""Ask the engine without blocking, and never show a stale answer. Knows no page and no widget."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui.desk import Desk

T = TypeVar("T")


class Latest(Generic[T]):
    """One kind of question: an answer is delivered only if no newer question was asked meanwhile."""

    def __init__(self, desk: Desk, name: str, deliver: Callable[[T], None], fail: Callable[[LynkrError], None]) -> None:
        self._desk = desk
        self._name = name
        self._deliver = deliver
        self._fail = fail
        self._asked = 0
        self._answered = 0

    @property
    def is_waiting(self) -> bool:
        """Is the newest question still open?"""
        return self._answered != self._asked

    def ask(self, question: Coroutine[Any, Any, T]) -> None:
        """Start a question; an older one that is still open loses its say."""
        self._asked += 1
        run = self._run(self._asked, question)
        self._desk.spawn(run, self._name)
        if inspect.getcoroutinestate(run) == inspect.CORO_CLOSED:  # over already, or never begun because the loop has ended
            question.close()

    def forget(self) -> None:
        """Drop the answer of an open question."""
        self._asked += 1
        self._answered = self._asked

    async def _run(self, number: int, question: Coroutine[Any, Any, T]) -> None:
        try:
            answer = await question
        except LynkrError as error:
            if number == self._asked:
                self._answered = number
                self._fail(error)
            return
        if number == self._asked:
            self._answered = number
            self._deliver(answer)
