"""How long models take, from what they took lately. Pure and bounded; times are passed in."""

from collections import OrderedDict
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Target

_MOST_TARGETS: Final = 64
_NEWEST_SHARE: Final = 0.2  # of the newest answer in what is remembered
_FEWEST_TOKENS: Final = 8  # a shorter answer says nothing about the rate


class _Pace(msgspec.Struct):
    first_ms: float
    token_ms: float | None = None


class PaceBook:
    """The pace of each target that served."""

    def __init__(self) -> None:
        self._paces: OrderedDict[Target, _Pace] = OrderedDict()

    def note(self, target: Target, first_ms: float | None, total_ms: float, tokens: int) -> None:
        """An answer came: its first token after `first_ms`, all `tokens` after `total_ms`.

        None: it came all at once; what is known of first tokens stays.
        """
        pace = self._paces.get(target)
        if pace is None:
            pace = self._paces[target] = _Pace(first_ms or 0.0)
            if len(self._paces) > _MOST_TARGETS:
                self._paces.popitem(last=False)
        elif first_ms is not None:
            pace.first_ms += _NEWEST_SHARE * (first_ms - pace.first_ms)
        first_ms = pace.first_ms if first_ms is None else first_ms
        if tokens >= _FEWEST_TOKENS:
            token_ms = max(0.0, total_ms - first_ms) / tokens
            pace.token_ms = token_ms if pace.token_ms is None else pace.token_ms + _NEWEST_SHARE * (token_ms - pace.token_ms)

    def estimate_ms(self, target: Target, tokens: int) -> float | None:
        """How long an answer of so many tokens would take; None if nothing is known."""
        pace = self._paces.get(target)
        if pace is None or pace.token_ms is None:
            return None
        return round(pace.first_ms + tokens * pace.token_ms)
