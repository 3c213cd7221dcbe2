"""MODEL_PRICE_OVERRIDES: JSON of US dollars for a million tokens, by a model's name or by `account:model`. Pure."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from lynkr_desktop.config.settings import ModelOverride, is_price
from lynkr_desktop.errors import ConfigError

VARIABLE: Final = "MODEL_PRICE_OVERRIDES"
_FIELDS: Final = {
    "input": "input_price",
    "output": "output_price",
    "cache_read": "cache_read_price",
    "cache_write": "cache_write_price",
}


def prices_of(text: str, account_of: Callable[[str], str]) -> tuple[ModelOverride, ...]:
    """The prices that a text names. `account_of` gives the account of a name, empty if it is none: `qwen2.5:7b` is a model.

    Raises `ConfigError` that names the variable.
    """
    try:
        table = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        return tuple(_override(name, row, account_of) for name, row in table.items())
    except (ValueError, AttributeError):
        raise _none("It is not a JSON object of models.") from None


def _override(name: str, row: object, account_of: Callable[[str], str]) -> ModelOverride:
    if not isinstance(row, dict) or not row or set(row) - set(_FIELDS):
        raise _none(f"{name[:80]!r} needs some of: {', '.join(_FIELDS)}.")
    if not all(isinstance(value, Decimal | str) and is_price(str(value)) for value in row.values()):
        raise _none(f"{name[:80]!r} has a price that is no number.")
    head, _, rest = name.partition(":")
    account = account_of(head) if rest else ""
    prices: dict[str, Any] = {_FIELDS[field]: str(value) for field, value in row.items()}
    return ModelOverride(account, rest, **prices) if account else ModelOverride("*", name, **prices)


def _none(detail: str) -> ConfigError:
    example = '{"gpt-5-mini": {"input": 0.25, "output": 2}}'
    return ConfigError(f"{VARIABLE} cannot be used.", f"{detail} It looks like {example}.", field=VARIABLE)
