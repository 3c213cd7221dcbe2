"""What is known of the models of one account: the dated snapshot, what its server tells, and what the user says, who is right.

Of a server on this machine its own word goes before the snapshot's, for the same name may stand for another build there. Pure,
and quick where it was asked before: the request path asks for every request.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from lynkr_desktop.config.settings import Account, ModelOverride
from lynkr_desktop.engine.providers.models import ModelFacts, facts_of, narrowed_quirks
from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.engine.providers.rules import changed
from lynkr_desktop.engine.wire.contract import Quirks

ANY: Final = "*"
_MOST_KEPT: Final = 2048  # models named by programs are without number
_PRICES: Final = ("input_price", "output_price", "cache_read_price", "cache_write_price", "cache_write_1h_price")
_YOURS: Final = "you"  # the source of prices that the user set


class KnownModels:
    """The book of one account. `told` are its server's own words by model; unknown fields of them are None."""

    def __init__(
        self,
        provider: Provider,
        account: Account,
        overrides: Sequence[ModelOverride] = (),
        told: Mapping[str, ModelFacts] | None = None,
    ) -> None:
        self._provider = provider
        self._keep_alive = account.keep_alive
        self._told = told or {}
        self._own = {  # the most special last
            kind: {each.model: each for each in overrides if each.account == owner and (each.model == ANY) is is_for_all}
            for kind, owner, is_for_all in (
                ("model", ANY, False),
                ("account", account.id, True),
                ("both", account.id, False),
            )
        }
        self._facts: dict[str, ModelFacts] = {}
        self._quirks: dict[tuple[int, str], Quirks] = {}

    def facts(self, model: str) -> ModelFacts:
        """What is known of a model; what nobody knows is None."""
        found = self._facts.get(model)
        if found is None:
            if len(self._facts) >= _MOST_KEPT:
                self._facts.clear()
            found = self._facts[model] = self._looked_up(model)
        return found

    def quirks(self, provider: Provider, model: str) -> Quirks:
        """How to speak to a model, by that provider's entry: the account's own, or one of its other doors.

        Raises `ConfigError` if the user names a quirk that there is not.
        """
        key = (id(provider.quirks), model)  # entries of the catalogue live as long as the program
        found = self._quirks.get(key)
        if found is None:
            if len(self._quirks) >= _MOST_KEPT:
                self._quirks.clear()
            found = self._quirks[key] = self._spoken(provider, model)
        return found

    def _looked_up(self, model: str) -> ModelFacts:
        dated, told = facts_of(self._provider.id, model), _set_fields(self._told.get(model))
        if self._provider.is_local:
            found = msgspec.structs.replace(dated, **told)
        else:
            unknown = {name: value for name, value in told.items() if getattr(dated, name) is None}
            found = msgspec.structs.replace(dated, **unknown)
        if (asked := self._provider.quirks.context_tokens) and (found.context_tokens or asked) >= asked:
            found = msgspec.structs.replace(found, context_tokens=asked)  # no more is asked for, whatever the model could
        for override in self._overrides(model):
            found = _overridden(found, override)
        return found

    def _overrides(self, model: str) -> list[ModelOverride]:
        own = self._own
        found = (own["model"].get(model), own["account"].get(ANY), own["both"].get(model))
        return [each for each in found if each is not None]

    def _spoken(self, provider: Provider, model: str) -> Quirks:
        facts = self.facts(model)
        quirks = narrowed_quirks(provider, model, facts)
        if quirks.context_tokens and facts.context_tokens:
            quirks = msgspec.structs.replace(quirks, context_tokens=facts.context_tokens)
        if self._keep_alive:
            quirks = msgspec.structs.replace(quirks, keep_alive=self._keep_alive)
        for override in self._overrides(model):
            quirks = changed(quirks, override.quirks, place=f"{override.account}:{override.model}")
        return quirks


def _set_fields(facts: ModelFacts | None) -> dict[str, Any]:
    if facts is None:
        return {}
    values = {name: getattr(facts, name) for name in facts.__struct_fields__ if name not in ("id", "is_free", "as_of", "source")}
    return {name: value for name, value in values.items() if value not in (None, "", ())}


def _overridden(facts: ModelFacts, override: ModelOverride) -> ModelFacts:
    """The user's word. One price of theirs puts all others aside: prices of two sources do not belong together."""
    changes = {name: value for name, value in override.facts.items() if value is not None}
    if any(name in changes for name in _PRICES):
        prices = dict.fromkeys(_PRICES) | {name: value for name, value in changes.items() if name in _PRICES}
        changes = {**changes, **prices, "steps": (), "source": _YOURS, "as_of": "", "note": "", "is_free": False}
    return msgspec.structs.replace(facts, **changes)
