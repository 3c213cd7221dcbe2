"""What the running program answers the command line. Each answer holds a value for programs and lines for people; no Qt here."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from lynkr_desktop.config.client_tokens import today, with_token, without_token
from lynkr_desktop.config.settings import TIERS, Mode, ModeKind, Pin, Settings, Tier
from lynkr_desktop.errors import ConfigError, LynkrError
from lynkr_desktop.ui import pinning, text, text_pins
from lynkr_desktop.ui import text_commands as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.modes import mode_choices
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.text import mode_title


@dataclass(frozen=True, slots=True)
class _Asked:
    desk: Desk
    premises: Premises
    arguments: Sequence[str]


async def answer(desk: Desk, premises: Premises, command: str, arguments: Sequence[str]) -> dict[str, Any]:
    """A JSON object: `value` and `lines`, `is_well` where something was tested, or `error`."""
    make = _ANSWERS.get(command)
    if make is None:
        return {"error": words.NO_SUCH_COMMAND}
    try:
        return await make(_Asked(desk, premises, arguments))
    except LynkrError as error:
        return {"error": text.refused(error)}


async def _status(asked: _Asked) -> dict[str, Any]:
    snapshot, settings = asked.desk.snapshot(), asked.desk.settings
    value = {
        "is_serving": snapshot.is_serving,
        "url": snapshot.url,
        "note": snapshot.note,
        "mode": _mode_value(settings),
        "keychain": asked.premises.keychain_state.value,
        "active": snapshot.active,
        "troubles": [{"title": trouble.title, "detail": trouble.detail} for trouble in snapshot.troubles],
        **_usage_value(asked.desk),
    }
    return {"value": value, "lines": words.status(snapshot, settings)}


async def _mode(asked: _Asked) -> dict[str, Any]:
    if asked.arguments:
        mode = _mode_of(asked.arguments)
        settings = asked.desk.settings
        if any(choice.obstacle for choice in mode_choices(settings) if choice.mode == mode):
            raise ConfigError(words.mode_unset(mode_title(mode)))
        await asked.desk.change(replace(settings, routing=replace(settings.routing, mode=mode)))
    return {"value": _mode_value(asked.desk.settings), "lines": [words.mode_used(asked.desk.settings)]}


async def _pin(asked: _Asked) -> dict[str, Any]:
    """Pin what is named, or list the pins: scope, tier or target, and for how long."""
    now_ms = _now_ms()
    if asked.arguments:
        scope, goal, how_long = (*asked.arguments, "", "")[:3]
        pin = pinning.pin_named(asked.desk.settings, scope, goal, how_long, now_ms)
        await asked.desk.change(pinning.pinned(asked.desk.settings, pin, now_ms))
    return _pins(asked.desk.settings, now_ms)


async def _unpin(asked: _Asked) -> dict[str, Any]:
    now_ms, settings = _now_ms(), asked.desk.settings
    for scope in asked.arguments or [pin.scope for pin in settings.pins]:
        if pinning.pin_of(settings, scope) is None:
            raise ConfigError(words.not_pinned(scope))
        settings = pinning.unpinned(settings, scope, now_ms)
    await asked.desk.change(settings)
    return _pins(settings, now_ms)


def _pins(settings: Settings, now_ms: int) -> dict[str, Any]:
    pins = pinning.live_pins(settings, now_ms)
    return {"value": [_pin_value(pin) for pin in pins], "lines": [text_pins.pin_line(pin) for pin in pins] or [words.NO_PINS]}


def _pin_value(pin: Pin) -> dict[str, Any]:
    target = str(pin.target) if pin.target else None
    return {"scope": pin.scope, "tier": pin.tier, "target": target, "until_ms": pin.until_ms}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _usage(asked: _Asked) -> dict[str, Any]:
    return {"value": _usage_value(asked.desk), "lines": words.usage(asked.desk.snapshot())}


async def _tiers(asked: _Asked) -> dict[str, Any]:
    routing = asked.desk.settings.routing
    value = {
        tier.value: {
            "scores": list(routing.boundaries.range_of(tier)),
            "targets": [str(target) for target in routing.tiers.of(tier)],
        }
        for tier in TIERS
    }
    direct = str(routing.direct) if routing.direct else None
    return {"value": {**value, "DIRECT": {"targets": [direct] if direct else []}}, "lines": words.tiers(asked.desk.settings)}


async def _providers(asked: _Asked) -> dict[str, Any]:
    accounts = asked.desk.snapshot().accounts
    return {"value": msgspec.to_builtins(accounts), "lines": words.providers(accounts)}


async def _clients(asked: _Asked) -> dict[str, Any]:
    """List the programs with tokens of their own, or `add NAME`, `revoke NAME`. The token is told once, where it is made."""
    match tuple(asked.arguments):
        case ():
            tokens = asked.desk.settings.client_tokens
            value = [{"name": each.name, "hint": each.hint, "made_on": each.made_on} for each in tokens]
            return {"value": value, "lines": words.clients(tokens)}
        case ("add", name):
            token = asked.premises.make_program_token(name)
            await asked.desk.change(with_token(asked.desk.settings, name, token, today()))
            return {"value": {"name": name, "token": token.reveal()}, "lines": [token.reveal()]}
        case ("revoke", name):
            await asked.desk.change(without_token(asked.desk.settings, name))
            return {"value": {"name": name, "revoked": True}, "lines": [words.revoked(name)]}
        case _:
            raise ConfigError(words.NO_SUCH_CLIENTS)


async def _reset(asked: _Asked) -> dict[str, Any]:
    """Try targets again at once that were left alone for their failures: of one account, or of all."""
    account = asked.arguments[0] if asked.arguments else ""
    if account and asked.desk.settings.account(account) is None:
        raise ConfigError(words.no_such_account(account))
    number = await asked.desk.reset_breakers(account)
    return {"value": {"reset": number}, "lines": [words.reset(number)]}


async def _token(asked: _Asked) -> dict[str, Any]:
    return {"value": asked.premises.token.reveal(), "lines": []}


async def _doctor(asked: _Asked) -> dict[str, Any]:
    """Test what a request needs, one after the other: endpoint, token, keychain, tiers, and each provider by a real call."""
    snapshot, settings, premises = asked.desk.snapshot(), asked.desk.settings, asked.premises
    checks = [
        (words.SERVING, snapshot.is_serving, snapshot.note),
        (words.HAS_TOKEN, bool(premises.token.reveal()), premises.keychain_detail),
        *((trouble.title, False, trouble.detail) for trouble in snapshot.troubles),
    ]
    if settings.routing.mode.kind is not ModeKind.DIRECT:
        checks.append((words.TIERS_SERVE, settings.routing.tiers.are_complete, ""))
    for account in settings.accounts:
        if not account.is_enabled:
            continue
        several = len(account.keys) > 1
        for key in account.keys if several else (None,):
            name = f"{account.id}, {key.name}" if key else account.id
            try:
                result = await asked.desk.probe(account.id, key.id if key else None)
            except LynkrError as error:
                checks.append((name, False, text.refused(error)))
            else:
                checks.append((name, result.is_ok, result.text if not result.is_ok else f"{result.milliseconds:.0f} ms"))
    return {
        "value": [{"name": name, "is_well": is_well, "words": detail} for name, is_well, detail in checks],
        "lines": [words.check(name, is_well=is_well, words=detail) for name, is_well, detail in checks],
        "is_well": all(is_well for _, is_well, _ in checks),
    }


def _usage_value(desk: Desk) -> dict[str, Any]:
    snapshot = desk.snapshot()
    return {
        "requests_today": snapshot.requests_today,
        "failed_today": snapshot.failed_today,
        "cost_today_usd": snapshot.cost_today_usd,
        "unpriced_today": snapshot.unpriced_today,
        "tiers_today": dict(snapshot.tiers_today),
    }


def _mode_value(settings: Settings) -> dict[str, Any]:
    mode = settings.routing.mode
    return {"kind": mode.kind.value, "tier": mode.tier.value if mode.tier else None}


def _mode_of(arguments: Sequence[str]) -> Mode:
    kind, rest = arguments[0], [argument.upper() for argument in arguments[1:]]
    if kind == ModeKind.PIN:
        if len(rest) != 1 or rest[0] not in TIERS:
            raise ConfigError(words.NO_SUCH_TIER)
        return Mode(ModeKind.PIN, Tier(rest[0]))
    if rest or kind not in {ModeKind.AUTO, ModeKind.DIRECT, ModeKind.OBSERVE, ModeKind.LOCAL}:
        raise ConfigError(words.NO_SUCH_MODE)
    return Mode(ModeKind(kind))


_ANSWERS: Final[Mapping[str, Callable[[_Asked], Awaitable[dict[str, Any]]]]] = {
    "status": _status,
    "mode": _mode,
    "pin": _pin,
    "unpin": _unpin,
    "usage": _usage,
    "tiers": _tiers,
    "providers": _providers,
    "doctor": _doctor,
    "token": _token,
    "clients": _clients,
    "reset": _reset,
}
