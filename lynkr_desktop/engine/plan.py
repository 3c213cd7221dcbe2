"""The settings in the form that requests use: immutable, made anew at each change, so that one in flight never sees two."""

from collections.abc import Mapping

import msgspec

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, AccountKey, Settings, Target
from lynkr_desktop.engine.providers import auth, catalogue
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.known import KnownModels
from lynkr_desktop.engine.providers.models import ModelFacts, facts_of
from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.errors import ConfigError


class Plan(msgspec.Struct, frozen=True):
    """Settings and the accounts that are ready for use."""

    settings: Settings
    accesses: Mapping[str, Access]

    def access(self, account_id: str) -> Access:
        """An enabled account. Raises `ConfigError` if there is none of that name, or it lacks its key."""
        access = self.accesses.get(account_id)
        if access is None:
            known = ", ".join(self.accesses) or "none"
            raise ConfigError(
                f"There is no account named {account_id!r}.", f"Add it under Providers, or use one of: {known}.", field="accounts"
            )
        return access

    def facts_of(self, target: Target) -> ModelFacts:
        """What is known of a target's model."""
        access = self.accesses.get(target.account)
        return access.facts(target.model) if access else facts_of("", target.model)

    def local_targets(self) -> tuple[Target, ...]:
        """The accounts whose models run on this machine, each with its usual model; empty where none is chosen."""
        return tuple(
            Target(name, access.account.model or access.provider.default_model)
            for name, access in self.accesses.items()
            if access.provider.is_local
        )


def _access(account: Account, provider: Provider, base_url: str, keys: Mapping[str, Secret]) -> Access:
    """An account with the keys that may travel to its address: not those that were entered for another one."""
    usable = [
        Access(account, provider, base_url, secret, key.id, key.name)
        for key in account.keys or (AccountKey(),)
        if (secret := keys.get(account.ref(key.id))) is not None and (not key.origin or key.origin == auth.origin_of(base_url))
    ]
    if len(usable) < 2:
        return Access(account, provider, base_url, usable[0].key if usable else None, usable[0].key_id if usable else "")
    return msgspec.structs.replace(usable[0], spares=tuple(usable[1:]))


def plan_of(
    settings: Settings,
    keys: Mapping[str, Secret],
    embedded: tuple[str, Secret] | None,
    told: Mapping[str, Mapping[str, ModelFacts]] = {},
) -> Plan:
    """Settings with their keys. `embedded` is the built-in model's address and key while it runs; `told` what servers say of
    their models, by account and model."""
    accesses = {}
    for account in settings.accounts:
        provider = catalogue.provider(account.provider)
        if provider is None or not account.is_enabled:
            continue
        base_url = account.base_url or provider.base_url
        if provider.is_embedded:
            base_url, key = embedded or ("", Secret(""))
            access = Access(account, provider, base_url, key)
        else:
            access = _access(account, provider, base_url, keys)
        known = KnownModels(provider, account, settings.models, told.get(account.id))
        spares = tuple(msgspec.structs.replace(each, known=known) for each in access.spares)
        accesses[account.id] = msgspec.structs.replace(access, known=known, spares=spares)
    return Plan(settings, accesses)
