"""Does it pay to go to another model while the conversation's beginning is cached at the present one? Pure, exact numbers.

A provider keeps the beginning of a conversation warm and reads it at a fraction of the price. Another model must be sent all of
it anew once. That pays only if each later turn saves enough.
"""

import math
from decimal import Decimal
from typing import Final

import msgspec

NEW_TOKENS: Final = 2000  # what a turn usually adds to the input
ANSWER_TOKENS: Final = 800  # what a turn usually answers
TURNS_AHEAD: Final = 10  # a switch must have paid by then: conversations end
WARM_SECONDS: Final = 300.0  # how long providers keep a beginning that is not asked for
MOST_LOCAL_TOKENS: Final = 16_000  # between two free models the price is the time to read everything again
_MILLION: Final = Decimal(1_000_000)


class Rates(msgspec.Struct, frozen=True):
    """A model's prices in USD for a million tokens. `read` and `write` are for cached input."""

    input: Decimal
    output: Decimal
    read: Decimal
    write: Decimal

    @property
    def are_free(self) -> bool:
        """Does nothing cost anything?"""
        return not (self.input or self.output or self.read or self.write)


class Tokens(msgspec.Struct, frozen=True):
    """What one exchange used. `input` was neither read from a cache nor written to one."""

    input: int
    output: int
    read: int
    write: int

    @property
    def all_input(self) -> int:
        """Cached or not."""
        return self.input + self.read + self.write

    def cost(self, rates: Rates) -> Decimal:
        """What that costs in USD."""
        total = self.input * rates.input + self.output * rates.output + self.read * rates.read + self.write * rates.write
        return total / _MILLION


class Switch(msgspec.Struct, frozen=True):
    """What going to another model means in USD: `once` at the switch, `saving` with each later turn (negative: it costs more).

    `turns` is after how many turns it has paid; None if never.
    """

    once: Decimal
    saving: Decimal
    turns: int | None
    is_worth_it: bool


def switch(warm_tokens: int, stay: Rates, go: Rates, *, is_warm: bool = True) -> Switch:
    """The switch from one model to another with so long a beginning behind it.

    `is_warm`: the beginning is still cached where it is; else it must be sent anew there as well.
    """
    once = max(anew(warm_tokens, go) - (0 if is_warm else anew(warm_tokens, stay)), Decimal(0))
    saving = (_turn(warm_tokens, stay) - _turn(warm_tokens, go)) / _MILLION
    if stay.are_free and go.are_free:
        return Switch(once, saving, None, warm_tokens <= MOST_LOCAL_TOKENS)
    turns = math.ceil(once / saving) if saving > 0 else None
    return Switch(once, saving, turns, turns is not None and turns <= TURNS_AHEAD)


def anew(warm_tokens: int, rates: Rates) -> Decimal:
    """What it costs in USD to send so long a beginning and a turn's input to a model that has none of it."""
    return (warm_tokens + NEW_TOKENS) * rates.write / _MILLION


def _turn(warm_tokens: int, rates: Rates) -> Decimal:
    return warm_tokens * rates.read + NEW_TOKENS * rates.input + ANSWER_TOKENS * rates.output
