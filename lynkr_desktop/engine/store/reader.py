"""What a question needs of a ledger to read in: a SQLite connection is one. The questions are written so that both databases
understand them; the few words of SQLite's own (`INDEXED BY`, `?`) are translated where another one is asked."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol


class Found(Protocol):
    """The rows of an answer."""

    def fetchone(self) -> Any:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Reader(Protocol):
    """A connection that only reads."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Found:
        """Ask. `?` stands for the parameters in their order."""
        ...
