"""The modes that can be chosen, in their order, and what keeps one from being chosen yet. Pure; tray and window show the same."""

from dataclasses import dataclass

from lynkr_desktop.config.settings import TIERS, Mode, ModeKind, Settings
from lynkr_desktop.engine.providers import catalogue
from lynkr_desktop.ui import text


@dataclass(frozen=True, slots=True)
class ModeChoice:
    """A mode. `obstacle` says what is missing for it; empty if it can serve."""

    mode: Mode
    obstacle: str = ""


def mode_choices(settings: Settings) -> tuple[ModeChoice, ...]:
    """All modes."""
    routing = settings.routing
    no_direct = "" if routing.direct is not None else text.MODE_NEEDS_DIRECT
    return (
        ModeChoice(Mode(), "" if routing.tiers.are_complete else text.MODE_NEEDS_TIERS),
        *(ModeChoice(Mode(ModeKind.PIN, tier), "" if routing.tiers.of(tier) else text.MODE_NEEDS_TIERS) for tier in TIERS),
        ModeChoice(Mode(ModeKind.DIRECT), no_direct),
        ModeChoice(Mode(ModeKind.OBSERVE), no_direct),
        ModeChoice(Mode(ModeKind.LOCAL), "" if _has_local_model(settings) else text.MODE_NEEDS_LOCAL),
    )


def _has_local_model(settings: Settings) -> bool:
    """Is there a model on this machine: one that a tier or Direct mode names, or an account's usual one?"""
    routing = settings.routing
    named = {target.account for tier in TIERS for target in routing.tiers.of(tier)}
    named |= {target.account for target in (routing.direct, routing.fallback) if target is not None}
    for account in settings.accounts:
        provider = catalogue.provider(account.provider)
        is_local = provider is not None and provider.is_local and account.is_enabled
        if is_local and provider is not None and (account.id in named or account.model or provider.default_model):
            return True
    return False
