"""Dated rules of providers and models: what is refused, renamed or wanted back. Reads `engine/data/provider_rules.json`, once.

The file is small and kept by hand; each rule says why, where that is written and when it was last seen to be so. What vendors
change every few months is there, not in code. A rule knows only quirks, which the wires carry out.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib import resources
from typing import Final

import msgspec

from lynkr_desktop.engine.wire.contract import Quirks
from lynkr_desktop.errors import ConfigError

FILE: Final = "provider_rules.json"
QuirkValue = bool | int | str
_RESELLERS: Final = re.compile(r"^(?:databricks|(?:[a-z-]+-)?anthropic)-(?=claude-)")
_LONG_WINDOW: Final = re.compile(r"\[\d+m\]$")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. `providers` are ids of the catalogue, none for all of them; a quirk does nothing in wires that do not read it.

    `models` are patterns with `*`, `?` and `[…]` in lower case; a dot in a model's name is a dash here. Of two rules for the same
    quirk the later one holds.
    """

    id: str
    why: str
    source: str
    seen: str  # the day on which it was last checked, as `YYYY-MM-DD`
    models: tuple[str, ...]
    providers: tuple[str, ...] = ()
    quirks: dict[str, QuirkValue] = {}
    drops_betas: tuple[str, ...] = ()  # values of the header `anthropic-beta`
    keeps_betas: tuple[str, ...] = ()  # all others are dropped, where there are any
    renames_betas: dict[str, str] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    as_of: str
    rules: tuple[Rule, ...]


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in order."""
    text = resources.files("lynkr_desktop.engine.data").joinpath(FILE).read_bytes()
    return msgspec.json.decode(text, type=_File).rules


@lru_cache(maxsize=4096)
def rules_for(provider: str, model: str) -> tuple[Rule, ...]:
    """The rules for a provider's model."""
    return tuple(rule for rule in rules() if provider in (rule.providers or (provider,)) and _is_one_of(model, rule.models))


def _is_one_of(model: str, patterns: Iterable[str]) -> bool:
    """Does a pattern fit the whole name, what follows its last slash, or what follows the maker's name there?

    Resellers write `us.anthropic.claude-opus-5-5` and `databricks-claude-opus-5-5`.
    """
    name = _LONG_WINDOW.sub("", model.strip().lower()).replace(".", "-")
    last = name.rpartition("/")[2]
    names = {name, last, _RESELLERS.sub("", last)}
    return any(fnmatchcase(each, pattern) for each in names for pattern in patterns)


def changed(quirks: Quirks, changes: Mapping[str, QuirkValue], *, place: str) -> Quirks:
    """Quirks with some of them set. Raises `ConfigError` about a name or kind of value that does not exist; `place` is where."""
    for name, value in changes.items():
        known = getattr(quirks, name, None) if name in quirks.__struct_fields__ else None
        if type(known) is not type(value):
            raise ConfigError(f"{name!r} cannot be set to {value!r}.", "Use a known quirk and its kind of value.", field=place)
    return msgspec.structs.replace(quirks, **changes) if changes else quirks


@lru_cache(maxsize=4096)
def rule_changes(provider: str, model: str) -> Mapping[str, QuirkValue]:
    """What the rules set for a provider's model."""
    return {name: value for rule in rules_for(provider, model) for name, value in rule.quirks.items()}


def passing_betas(header: str, applying: Iterable[Rule]) -> str:
    """The value of `anthropic-beta` without what is refused, and with the provider's own names; empty if nothing is left."""
    flags = [flag.strip() for flag in header.split(",") if flag.strip()]
    for rule in applying:
        flags = [rule.renames_betas.get(flag, flag) for flag in flags if flag not in rule.drops_betas]
        flags = [flag for flag in flags if not rule.keeps_betas or flag in rule.keeps_betas]
    return ",".join(dict.fromkeys(flags))
