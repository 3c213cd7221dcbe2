"""What changes something through the endpoint: mode, pins, programs' tokens, breakers, settings. For the administration only.

The door lets nobody here without the administration's own token, which opens no model; where there is none, there are no such
pages. The desktop program has none: its window and its private channel do the same without the endpoint.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import msgspec

from lynkr_desktop.config.client_tokens import new_token, today, with_token, without_token
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import ClientToken, Settings
from lynkr_desktop.engine.admin.steering import Steering
from lynkr_desktop.engine.doorkeeper import ADMIN_PREFIX
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.pipeline import Reply
from lynkr_desktop.engine.resilience.breaker import Breakers
from lynkr_desktop.errors import ClientError, ConfigError
from lynkr_desktop.json_reader import Fields, ShapeError, encode

_log: Final = logging.getLogger(__name__)
Change = Callable[[Settings], Settings]


class Steward(msgspec.Struct, frozen=True):
    """Who administers: by which token, and how a change of the settings is kept and used. All may raise `ConfigError`.

    `change` takes what makes new settings of the old ones; `reload` reads files and environment again.
    """

    token: Secret
    change: Callable[[Change], Awaitable[None]]
    reload: Callable[[], Awaitable[None]]


class ControlPages:
    """Answers by path. There are none until there is a steward."""

    def __init__(self, settings: Callable[[], Settings], breakers: Breakers) -> None:
        self.steward: Steward | None = None
        self._settings = settings
        self._breakers = breakers
        self._steering = Steering(settings, lambda: time.time_ns() // 1_000_000)
        self._changing = asyncio.Lock()

    async def page(self, method: str, path: str, inbound: Inbound) -> Reply | None:
        """The answer of a path; None if there is no such page. Raises `ClientError`."""
        steward = self.steward
        if steward is None:
            return None
        place = path.removeprefix(ADMIN_PREFIX)
        async with self._changing:
            verb = "GET" if method == "HEAD" else method
            steered = await self._steering.page(
                verb, unquote(place), inbound.body, lambda made: _tried(lambda: steward.change(made))
            )
            if steered is not None:
                return _json(steered)
            match verb, place:
                case ("GET", "clients"):
                    return _json({"clients": [_row(each) for each in self._settings().client_tokens]})
                case ("POST", "clients"):
                    return await self._made(steward, inbound)
                case ("DELETE", _) if place.startswith("clients/"):
                    return await self._revoked(steward, unquote(place.removeprefix("clients/")))
                case ("POST", "circuit-breakers/reset"):
                    return self._reset(inbound)
                case ("POST", "reload"):
                    await _tried(steward.reload)
                    _log.info("settings were read again for the administration")
                    return _json({"reloaded": True})
        return None

    async def _made(self, steward: Steward, inbound: Inbound) -> Reply:
        """A token for a program. It is told here and never again."""
        name = _name_in(inbound.body)
        token, day = new_token(), today()
        await _tried(lambda: steward.change(lambda settings: with_token(settings, name, token, day)))
        _log.info("a token was made for the program %s", name)
        (made,) = (each for each in self._settings().client_tokens if each.name == name)
        return _json(_row(made) | {"token": token.reveal()}, 201)

    async def _revoked(self, steward: Steward, name: str) -> Reply:
        if all(each.name != name for each in self._settings().client_tokens):
            raise ClientError(f"The program {name[:80]!r} has no token of its own.", "GET lists those that have.", status=404)
        await _tried(lambda: steward.change(lambda settings: without_token(settings, name)))
        _log.info("the token of the program %s was revoked", name)
        return _json({"name": name, "revoked": True})

    def _reset(self, inbound: Inbound) -> Reply:
        """Targets that were left alone for their failures are tried again at once; `provider` names one account."""
        account = parse_qs(inbound.query).get("provider", [""])[-1]
        if account and self._settings().account(account) is None:
            raise ClientError(f"There is no account named {account[:80]!r}.", "GET /v1/providers lists them.", status=404)
        return _json({"reset": self.reset_breakers(account)})

    def reset_breakers(self, account: str) -> int:
        """Close the breakers of an account, or of all. How many were not closed."""
        _log.info("circuit breakers were reset: %s", account or "all")
        return self._breakers.reset(account or None)


def _name_in(body: bytes) -> str:
    try:
        return Fields.parse(body).text("name")
    except ShapeError as error:
        raise ClientError("The body cannot be read.", f'{error} Send {{"name": "a-program"}}.') from error


async def _tried(change: Callable[[], Awaitable[None]]) -> None:
    """What settings refuse is the caller's to put right."""
    try:
        await change()
    except ConfigError as error:
        raise ClientError(error.title, error.detail, status=409) from error


def _row(token: ClientToken) -> dict[str, Any]:
    """What may be shown of a token: not even its fingerprint."""
    return {"name": token.name, "hint": token.hint, "made_on": token.made_on}


def _json(value: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(status, {"content-type": "application/json"}, encode(dict(value)))
