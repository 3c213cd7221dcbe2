"""Tokens of single programs: made, known again and revoked. Values only; settings hold what is left of a token.

A token is 256 random bits, so its plain SHA-256 can neither be guessed nor turned back.
"""

import hashlib
import secrets as random_source
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import ClientToken, Settings, validate
from lynkr_desktop.errors import ConfigError

_HINT_LETTERS: Final = 4


def new_token() -> Secret:
    """A token that opens the endpoint once somebody knows it."""
    return Secret(f"lynkr-{random_source.token_urlsafe(32)}")


def today() -> date:
    """The day that it is here."""
    return datetime.now().astimezone().date()


def fingerprint(token: str) -> bytes:
    """What a token is known by: 32 bytes."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def with_token(settings: Settings, name: str, token: Secret, today: date) -> Settings:
    """The settings with a token for a program; one that it had before opens nothing any more. Raises `ConfigError`."""
    value = token.reveal()
    made = ClientToken(name, fingerprint(value).hex(), value[-_HINT_LETTERS:], today.isoformat())
    others = (each for each in settings.client_tokens if each.name != name)
    return validate(replace(settings, client_tokens=(*others, made)))


def without_token(settings: Settings, name: str) -> Settings:
    """The settings after a program's token is revoked. Raises `ConfigError` if it has none."""
    kept = tuple(each for each in settings.client_tokens if each.name != name)
    if len(kept) == len(settings.client_tokens):
        raise ConfigError(f"The program {name[:80]!r} has no token of its own.", field="client_tokens")
    return replace(settings, client_tokens=kept)
