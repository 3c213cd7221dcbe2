"""What is known of models offline: prices, windows, abilities. Reads one dated file of `engine/data`, once; no network.

The file is made by `packaging/build_models.py`. A model that it does not hold stays unknown: its facts are None, never guessed
from a name that merely looks alike, because a wrong price is worse than none.
"""

import gzip
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Final

import msgspec
from msgspec import Raw

from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.engine.providers.rules import changed, rule_changes
from lynkr_desktop.engine.wire.contract import Quirks

_MOST_DEFAULT_TOKENS: Final = 32_000  # of a model that is known to write more: enough for an agent's longest file
FILE: Final = "models.json.gz"

# What may follow a known name without making it another model: dates, snapshot numbers, `latest`, `preview`. A single digit may
# not: `claude-opus-4-1` is not `claude-opus-4`. Nor may a word: `gpt-5-pro` is not `gpt-5`.
_MARK: Final = r"(?:\d{4}-\d{2}-\d{2}|\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{3,4}|v\d(?::\d)?|latest|preview)"
_SNAPSHOT: Final = re.compile(rf"(?:[-@:]{_MARK})+")
_LONG_WINDOW: Final = re.compile(r"\[\d+m\]$")  # Claude Code writes `claude-sonnet-4-5[1m]` for the long window


class PriceStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """Other prices for a whole request whose input, with cached tokens, exceeds `above_tokens`. None keeps the base price."""

    above_tokens: int
    input_price: str | None = None
    output_price: str | None = None
    cache_read_price: str | None = None
    cache_write_price: str | None = None
    cache_write_1h_price: str | None = None


class ModelFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a model; None is unknown. Prices in USD for a million tokens, as decimal text.

    `cache_write_price` is for five minutes. `source` names where the prices come from, `as_of` the day on which they were
    taken. `note` says what the sources disagree on; empty if they agree.
    """

    id: str = ""
    title: str = ""
    context_tokens: int | None = None
    output_tokens: int | None = None
    takes_tools: bool | None = None
    takes_images: bool | None = None
    thinks: bool | None = None
    input_price: str | None = None
    output_price: str | None = None
    cache_read_price: str | None = None
    cache_write_price: str | None = None
    is_free: bool = False
    as_of: str = ""
    cache_write_1h_price: str | None = None
    steps: tuple[PriceStep, ...] = ()
    takes_sampling: bool | None = None  # temperature, top_p, top_k
    source: str = ""
    note: str = ""


class _Snapshot(msgspec.Struct, frozen=True):
    """The file: provider → model → facts, undecoded until asked for. `aliases` lead to a model of the same provider."""

    as_of: str
    models: dict[str, dict[str, Raw]]
    aliases: dict[str, dict[str, str]] = {}


def prices_as_of() -> str:
    """The day on which the prices were taken, as `YYYY-MM-DD`."""
    return _snapshot().as_of


def facts_of(provider: str, model: str) -> ModelFacts:
    """What is known of a provider's model. Never fails: an unknown model gives facts that are all None."""
    return _facts_of(provider, model)


def quirks_for(provider: Provider, model: str) -> Quirks:
    """The provider's quirks for a model of which only the snapshot is known."""
    return narrowed_quirks(provider, model, facts_of(provider.id, model))


def narrowed_quirks(provider: Provider, model: str, facts: ModelFacts) -> Quirks:
    """The provider's quirks, changed by the dated rules, narrowed by what the model cannot do. The unknown changes nothing."""
    quirks = changed(provider.quirks, rule_changes(provider.id, model), place=FILE)
    return msgspec.structs.replace(
        quirks,
        takes_sampling=quirks.takes_sampling and facts.takes_sampling is not False,
        takes_images=quirks.takes_images and facts.takes_images is not False,
        takes_tools=quirks.takes_tools and facts.takes_tools is not False,
        takes_reasoning_effort=quirks.takes_reasoning_effort and facts.thinks is not False,
        default_max_tokens=min(_MOST_DEFAULT_TOKENS, facts.output_tokens or quirks.default_max_tokens),
    )


@lru_cache(maxsize=4096)
def _facts_of(provider: str, model: str) -> ModelFacts:
    entry = PROVIDERS.get(provider)
    is_local = entry is not None and entry.is_local
    snapshot = _snapshot()
    raw = _find(snapshot.models.get(provider, {}), snapshot.aliases.get(provider, {}), provider, model.strip().lower())
    if raw is None:
        return ModelFacts(id=model, is_free=is_local)
    known = msgspec.json.decode(raw, type=ModelFacts)
    return msgspec.structs.replace(known, id=model, is_free=known.is_free or is_local, as_of=snapshot.as_of)


def _find(table: Mapping[str, Raw], aliases: Mapping[str, str], provider: str, name: str) -> Raw | None:
    """The row of a name: exact, without the provider's prefix, by alias, without the long-window mark, without snapshot marks."""
    plain = _LONG_WINDOW.sub("", name)
    for candidate in (name, name.removeprefix(f"{provider}/"), plain, plain.removeprefix(f"{provider}/")):
        found = table.get(aliases.get(candidate, candidate))
        if found is not None:
            return found
    plain = plain.removeprefix(f"{provider}/")
    for end in range(len(plain) - 1, 1, -1):
        if plain[end] in "-@:" and _SNAPSHOT.fullmatch(plain, end):
            head = plain[:end]
            found = table.get(aliases.get(head, head))
            if found is not None:
                return found
    return None


@cache
def _snapshot() -> _Snapshot:
    packed = resources.files("lynkr_desktop.engine.data").joinpath(FILE).read_bytes()
    return msgspec.json.decode(gzip.decompress(packed), type=_Snapshot)
