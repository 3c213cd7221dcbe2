"""Usage, first token and cost of one exchange. Pure: the caller passes the time; exact decimal numbers, never floats.

A cost is the provider's own figure where it gives one, else our dated prices times the tokens, else unknown: never a guess that
looks like a price, and never zero for a model that merely is not in the table.
"""

import math
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

import msgspec

from lynkr_desktop.engine.chat.events import Delta, Finished, Opened, Started, StreamEvent, Usage
from lynkr_desktop.engine.providers.models import ModelFacts

CostBasis = Literal["reported", "priced", "estimated", "free", "unpriced"]

_MILLION: Final = Decimal(1_000_000)
_ZERO: Final = Decimal(0)
_NO_USAGE: Final = Usage()
_MOST_TOKENS: Final = 10**12
# Tokens for a character of a stream that breaks off: coarse, because it is summed for every delta of every stream.
_ASCII_WEIGHT: Final = 0.25
_OTHER_WEIGHT: Final = 0.6


class Cost(msgspec.Struct, frozen=True):
    """What an exchange cost in USD. `amount` is None only for `unpriced`; `basis` is explained at `events.Exchange`."""

    amount: Decimal | None
    basis: CostBasis

    @property
    def usd(self) -> str | None:
        """The amount as plain decimal text without an exponent, for the ledger."""
        return None if self.amount is None else decimal_text(self.amount)


def decimal_text(amount: Decimal) -> str:
    """A decimal number without exponent and without trailing zeros: `0.0123`, `12`."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Meter:
    """Listens to one answer's stream. Never raises and changes nothing."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.first_token_ms: float | None = None
        self.is_finished = False
        self._weight = 0.0

    def hear(self, events: Iterable[StreamEvent], now_ms: float) -> None:
        """Take events that arrived at `now_ms`, milliseconds since the exchange began."""
        for event in events:
            if isinstance(event, Delta):
                self._weight += len(event.text) * (_ASCII_WEIGHT if event.text.isascii() else _OTHER_WEIGHT)
                self._content_at(now_ms)
            elif isinstance(event, Started | Finished):
                if event.usage != _NO_USAGE:
                    self.usage = self.usage.merged(_credible(event.usage))
                self.is_finished = self.is_finished or isinstance(event, Finished)
            elif isinstance(event, Opened) and not event.is_shell:
                self._content_at(now_ms)

    def _content_at(self, now_ms: float) -> None:
        if self.first_token_ms is None:
            self.first_token_ms = now_ms

    @property
    def is_told(self) -> bool:
        """Did the provider tell the usage to the end? Not if the stream broke off or the provider does not count."""
        return self.is_finished and self.usage.input_tokens is not None and self.usage.output_tokens is not None

    @property
    def has_content(self) -> bool:
        """Did the model say anything?"""
        return self.first_token_ms is not None

    def cost(self, facts: ModelFacts, estimated_input_tokens: int | None = None) -> Cost:
        """The cost of what was heard so far; `estimated` from the text seen where the provider told no whole usage."""
        return cost(self.usage_seen(estimated_input_tokens), facts, is_partial=not self.is_told)

    def usage_seen(self, estimated_input_tokens: int | None = None) -> Usage:
        """The usage; where it was not told to the end, filled with the output seen and the caller's estimate of the input."""
        if self.is_told:
            return self.usage
        usage = msgspec.structs.replace(self.usage, output_tokens=max(self.usage.output_tokens or 0, math.ceil(self._weight)))
        if usage.input_tokens is None and usage.cache_read_tokens is None:
            usage = msgspec.structs.replace(usage, input_tokens=estimated_input_tokens)
        return usage


def _credible(usage: Usage) -> Usage:
    """The usage without figures that no request can have: what a broken provider tells must not spoil the ledger."""
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens)
    told = [count for count in counts if count is not None]
    return usage if not told or (min(told) >= 0 and max(told) <= _MOST_TOKENS) else _NO_USAGE


def cost(usage: Usage, facts: ModelFacts, *, is_partial: bool = False) -> Cost:
    """What some usage costs. `is_partial`: the usage is not the provider's last word, so the figure is an estimate."""
    reported = _reported(usage.cost_usd)
    if reported is not None:
        return Cost(reported, "reported")
    if facts.is_free:
        return Cost(_ZERO, "free")
    amount = _priced(usage, facts)
    if amount is None:
        return Cost(None, "unpriced")
    return Cost(amount, "estimated" if is_partial else "priced")


def _reported(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def _priced(usage: Usage, facts: ModelFacts) -> Decimal | None:
    """The sum over all kinds of tokens; None if nothing was told or a kind that occurred has no price."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    written = usage.cache_write_tokens or 0
    written_1h = min(usage.cache_write_1h_tokens or 0, written) if written else usage.cache_write_1h_tokens or 0
    read = usage.cache_read_tokens or 0
    prices = prices_at((usage.input_tokens or 0) + read + max(written, written_1h), facts)
    total = _ZERO
    for tokens, price in (
        (usage.input_tokens or 0, prices.input_price),
        (usage.output_tokens or 0, prices.output_price),
        (read, prices.cache_read_price or prices.input_price),
        (max(written - written_1h, 0), prices.cache_write_price or prices.input_price),
        (written_1h, prices.cache_write_1h_price or prices.cache_write_price or prices.input_price),
    ):
        if tokens <= 0:
            continue
        if price is None:
            return None
        total += tokens * Decimal(price)
    return total / _MILLION


def prices_at(all_input_tokens: int, facts: ModelFacts) -> ModelFacts:
    """The facts with the prices of the highest step that the whole input exceeds: vendors then charge all tokens so."""
    for step in sorted(facts.steps, key=lambda step: step.above_tokens, reverse=True):
        if all_input_tokens > step.above_tokens:
            return msgspec.structs.replace(
                facts,
                input_price=step.input_price or facts.input_price,
                output_price=step.output_price or facts.output_price,
                cache_read_price=step.cache_read_price or facts.cache_read_price,
                cache_write_price=step.cache_write_price or facts.cache_write_price,
                cache_write_1h_price=step.cache_write_1h_price or facts.cache_write_1h_price,
            )
    return facts
