"""Who may come in: the tokens in force, known by their fingerprints only. Decides; opens no socket and reads no settings file.

A given token is hashed before it is looked for. So the time of the look-up tells nothing of the tokens in force, however many
there are, and a request costs one hash and one look in a table.
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from lynkr_desktop.config.client_tokens import fingerprint
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import ClientToken

ADMIN_PREFIX: Final = "/v1/admin/"


class Doorkeeper:
    """Two doors, and no token opens both: the models and what is told of them, and the administration."""

    def __init__(self, shared: Secret | None, programs: Iterable[ClientToken] = ()) -> None:
        self._admin: bytes | None = None
        self.use(shared, programs)

    @property
    def knows_shared_token(self) -> bool:
        """Is the token that all programs may use known by now?"""
        return self._shared is not None

    @property
    def has_administration(self) -> bool:
        """Is there an administration to come in to?"""
        return self._admin is not None

    def use(self, shared: Secret | None, programs: Iterable[ClientToken]) -> None:
        """These tokens from the next request on: the one that all programs may use, and those of single programs."""
        self._shared = fingerprint(shared.reveal()) if shared is not None else None
        self._programs = {bytes.fromhex(each.fingerprint): each.name for each in programs}

    def use_for_administration(self, token: Secret) -> None:
        """Let in whoever administers with this token."""
        self._admin = fingerprint(token.reveal())

    def program(self, headers: Mapping[str, str]) -> str | None:
        """The name of the program whose token a request carries; empty for the shared one, None if nothing opens."""
        for token in _given(headers):
            found = fingerprint(token)
            if self._admin is not None and hmac.compare_digest(found, self._admin):
                continue
            if self._shared is not None and hmac.compare_digest(found, self._shared):
                return ""
            if (name := self._programs.get(found)) is not None:
                return name
        return None

    def is_administrator(self, headers: Mapping[str, str]) -> bool:
        """Does a request carry the administration's token?"""
        admin = self._admin
        return admin is not None and any(hmac.compare_digest(fingerprint(token), admin) for token in _given(headers))


def _given(headers: Mapping[str, str]) -> list[str]:
    """What a request shows as its token, in each place where programs put one."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    given = (headers.get("x-api-key"), headers.get("x-goog-api-key"), bearer.strip() if scheme.lower() == "bearer" else "")
    return [token for token in given if token]
