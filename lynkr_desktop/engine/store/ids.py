"""Names for exchanges that rise with time. Holds the last one given out, so that a clock set back gives no name twice."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

_COUNTER_BITS: Final = 16
_START: Final = secrets.randbits(12)  # where a millisecond's counter starts: two programs with one ledger seldom meet

_lock = threading.Lock()
_last = 0


def new_id(clock_ns: Callable[[], int] = time.time_ns) -> str:
    """16 hexadecimal digits, 12 of the milliseconds since 1970 and 4 of a counter; greater than all before. From any thread."""
    global _last  # noqa: PLW0603  uniqueness is a matter of the whole process
    now = ((clock_ns() // 1_000_000) << _COUNTER_BITS) | _START
    with _lock:
        _last = max(now, _last + 1)
        return f"{_last:016x}"


def first_id_at(at_ms: int) -> str:
    """The least id that a moment can have, for comparing."""
    return f"{max(at_ms, 0) << _COUNTER_BITS:016x}"
