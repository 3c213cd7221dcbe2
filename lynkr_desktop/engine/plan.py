"""The settings in the form that requests use: immutable, made anew at each change, so that one in flight never sees two."""

from collections.abc import Mapping

import msgspec

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Settings, Target
from lynkr_desktop.engine.providers import auth, catalogue
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.models import ModelFacts, facts_of
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
        return facts_of(access.provider.id if access else "", target.model)

    def local_targets(self) -> tuple[Target, ...]:
        """The accounts whose models run on this machine, each with its usual model; empty where none is chosen."""
        return tuple(
            Target(name, access.account.model or access.provider.default_model)
            for name, access in self.accesses.items()
            if access.provider.is_local
        )


def plan_of(settings: Settings, keys: Mapping[str, Secret], embedded: tuple[str, Secret] | None) -> Plan:
    """Settings with their keys. `embedded` is the built-in model's address and key while it runs."""
    accesses = {}
    for account in settings.accounts:
        provider = catalogue.provider(account.provider)
        if provider is None or not account.is_enabled:
            continue
        base_url, key = account.base_url or provider.base_url, keys.get(account.id)
        if provider.is_embedded:
            base_url, key = embedded or ("", Secret(""))
        elif key is not None and account.key_origin and auth.origin_of(base_url) != account.key_origin:
            key = None  # the address is another one than the key was entered for
        accesses[account.id] = Access(account, provider, base_url, key)
    return Plan(settings, accesses)
