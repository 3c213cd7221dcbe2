"""Tokens for Google's cloud: of a service account, or of the credentials of this machine. The only place that asks for them.

google-auth is an optional extra and heavy, so it is imported with the first call. Fetching a token asks files, other programs and
servers, and blocks: it runs in a thread, once for all calls that wait for it. A token is fetched anew before it runs out.
"""

import asyncio
import json
import threading
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from typing import Any, Final

from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.errors import FailureKind, UpstreamError

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_EARLY: Final = timedelta(minutes=4)
_PATIENCE_SECONDS: Final = 20.0  # for one answer of a token server
_MOST_KEPT: Final = 32
_LOCK: Final = threading.Lock()  # waiting calls share one token
_kept: dict[str, Any] = {}  # credentials of google-auth by the digest of their key; they hold the token


async def authorized(key: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with a token. `key` is a service account's JSON; empty stands for the credentials of this machine.

    Raises `UpstreamError(AUTH | UNREACHABLE)` that says what is wrong with them; it never holds the key.
    """
    known: Any = _kept.get(_name(key))
    if known is None or not _is_fresh(known):
        known = await asyncio.to_thread(_refreshed, key)
    told: dict[str, str] = {}
    known.apply(told)
    return {**headers, **{name.lower(): value for name, value in told.items()}}


def _name(key: str) -> str:
    return digest(key, 64)


def _is_fresh(credentials: Any) -> bool:
    expiry = credentials.expiry  # without a time zone, in UTC
    return bool(credentials.token) and (expiry is None or expiry.replace(tzinfo=UTC) - _EARLY > datetime.now(UTC))


def _refreshed(key: str) -> Any:
    try:
        google = _google()
    except ImportError:
        raise UpstreamError(
            FailureKind.AUTH,
            "Google Vertex AI needs a part of this program that is not installed.",
            "Install it with: pip install 'lynkr-desktop[vertex]'.",
        ) from None
    request = partial(google.auth.transport.urllib3.Request(_connections()), timeout=_PATIENCE_SECONDS)
    with _LOCK:
        try:
            credentials = _kept.get(_name(key)) or (_of_key(key) if key else _of_machine(request))
            if not _is_fresh(credentials):
                credentials.refresh(request)
        except google.auth.exceptions.TransportError as error:
            raise UpstreamError(FailureKind.UNREACHABLE, "Google's token server cannot be reached.", _words(error)) from None
        except google.auth.exceptions.GoogleAuthError as error:
            raise _refused(key, error) from None
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[_name(key)] = credentials
        return credentials


def _google() -> Any:
    """The library, whole: it has no types to speak of."""
    import_module("google.auth.transport.urllib3")
    import_module("google.auth.exceptions")
    import_module("google.oauth2.service_account")
    return import_module("google")


def _connections() -> Any:
    import ssl  # noqa: PLC0415

    import truststore  # noqa: PLC0415
    import urllib3  # noqa: PLC0415

    return urllib3.PoolManager(ssl_context=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), retries=False)


def _of_key(key: str) -> Any:
    """The credentials that a JSON file of Google's describes. Raises `UpstreamError(AUTH)` without quoting it."""
    library = _google()
    try:
        told = json.loads(key)
        kind = told["type"]
        if kind == "service_account":
            return library.oauth2.service_account.Credentials.from_service_account_info(told, scopes=[_SCOPE])
        if kind == "authorized_user":
            return import_module("google.oauth2.credentials").Credentials.from_authorized_user_info(told, scopes=[_SCOPE])
        with warnings.catch_warnings():  # it warns of files from strangers; this one the user entered
            warnings.simplefilter("ignore", DeprecationWarning)
            return library.auth.load_credentials_from_dict(told, scopes=[_SCOPE])[0]
    except (ValueError, TypeError, LookupError, AttributeError, library.auth.exceptions.GoogleAuthError):
        raise UpstreamError(
            FailureKind.AUTH,
            "The key for Google Vertex AI is not a service account.",
            "Paste the whole JSON file as the Google Cloud console gives it.",
        ) from None


def _of_machine(request: Any) -> Any:
    found, _ = _google().auth.default(scopes=[_SCOPE], request=request)
    return found


def _refused(key: str, error: Exception) -> UpstreamError:
    if key:
        title, remedy = "Google refused the service account.", "Was its key deleted, or the account switched off?"
    else:
        title = "There are no Google Cloud credentials on this machine that work."
        remedy = "Paste a service account's JSON under Providers, or run: gcloud auth application-default login."
    return UpstreamError(FailureKind.AUTH, title, f"{remedy} ({_words(error)})")


def _words(error: Exception) -> str:
    """Google's own words, short. They name accounts and causes, never keys."""
    return str(error.args[0] if error.args else type(error).__name__)[:300]
