"""Accounts in the settings: adding, replacing, removing one, and what becomes of its keys. Pure; no widgets, no saving."""

from dataclasses import replace

from lynkr_desktop.config.settings import TIERS, Account, Routing, Settings, Target
from lynkr_desktop.engine.providers import auth, catalogue
from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui.pages.tier_draft import model_of


def provider_of(account: Account) -> Provider | None:
    """The catalogue's entry of an account."""
    return catalogue.provider(account.provider)


def address_of(account: Account) -> str:
    """The account's own address, else its provider's. Empty for a server that is started by us."""
    entry = provider_of(account)
    return account.base_url or (entry.base_url if entry else "")


def origin(account: Account) -> str:
    """Where the account's key may travel to. Empty where the address is none."""
    try:
        return auth.origin_of(address_of(account))
    except ConfigError:
        return ""


def free_id(provider: str, settings: Settings) -> str:
    """An account id that is not taken: `anthropic`, then `anthropic-2`."""
    taken = {account.id for account in settings.accounts}
    number = 1
    while (name := provider if number == 1 else f"{provider}-{number}") in taken:
        number += 1
    return name


def lost_refs(before: Account | None, after: Account) -> tuple[str, ...]:
    """The names of the keys that an account had and has no longer: removed, or entered for another address."""
    return tuple(ref for ref in before.refs if ref not in after.refs) if before is not None else ()


def with_account(settings: Settings, account: Account) -> Settings:
    """The settings with an account added, or replaced where its id is known. The first one also serves Direct mode."""
    accounts = [account if each.id == account.id else each for each in settings.accounts]
    if settings.account(account.id) is None:
        accounts.append(account)
    routing = settings.routing
    if routing.direct is None and model_of(account):
        routing = replace(routing, direct=Target(account.id, model_of(account)))
    return replace(settings, accounts=tuple(accounts), routing=routing)


def without_account(settings: Settings, account_id: str) -> Settings:
    """The settings without an account and without every target that used it. Direct mode goes on with the next account."""
    accounts = tuple(account for account in settings.accounts if account.id != account_id)
    tiers = settings.routing.tiers
    for tier in TIERS:
        tiers = tiers.with_tier(tier, tuple(target for target in tiers.of(tier) if target.account != account_id))
    direct, fallback = settings.routing.direct, settings.routing.fallback
    if direct is not None and direct.account == account_id:
        direct = next((Target(each.id, model_of(each)) for each in accounts if each.is_enabled and model_of(each)), None)
    if fallback is not None and fallback.account == account_id:
        fallback = None
    routing: Routing = replace(settings.routing, tiers=tiers, direct=direct, fallback=fallback)
    return replace(settings, accounts=accounts, routing=routing)
