"""Every row of the catalogue of pitfalls is a test, or is listed with the reason why not."""

import re
from pathlib import Path
from typing import Final

from tests.engine.wire.pitfalls import NOT_TESTED, ROWS

_TESTS: Final = Path(__file__).parents[2]
_NAMED: Final = re.compile(r"\bdef (test_\w+)|\bid=\"(row-[^\"]+)\"|\"(row-[^\"]+)\"")
_ROW: Final = re.compile(r"row[_-](\d{3})(?!\d)")


def _rows_tested() -> set[int]:
    """The rows in the names of tests and of their cases."""
    found: set[int] = set()
    for file in _TESTS.rglob("test_*.py"):
        for names in _NAMED.findall(file.read_text("utf-8")):
            found.update(int(number) for name in names for number in _ROW.findall(name))
    return found


def test_every_row_is_tested_or_listed_with_a_reason() -> None:
    missing = ROWS - _rows_tested() - NOT_TESTED.keys()
    assert missing == set(), "these rows have neither a test nor a reason"
    assert NOT_TESTED.keys() & _rows_tested() == set(), "these are tested by now"
    assert NOT_TESTED.keys() | _rows_tested() <= ROWS, "there are no such rows"
    assert all(len(reason) > 20 for reason in NOT_TESTED.values())
