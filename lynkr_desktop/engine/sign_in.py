"""What some providers want before a call beyond a key: a signature, or a token that is fetched. Gives the call with it.

Amazon's and Google's own libraries do theirs; Microsoft's Entra takes one plain POST (OAuth 2.0, client credentials), for which
its library of twenty megabytes is not needed.
"""

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from lynkr_desktop.engine.providers import auth, aws, google_tokens
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.provider import Auth
from lynkr_desktop.engine.upstream import Call, Upstream
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import Fields, ShapeError

_ENTRA: Final = "https://login.microsoftonline.com"
_ENTRA_SCOPE: Final = "https://cognitiveservices.azure.com/.default"
_EARLY_SECONDS: Final = 240.0
_MOST_KEPT: Final = 32
# Azure's command line and portal, and the libraries, write the same three parts in three ways.
_TENANT: Final = ("tenant", "tenantId", "tenant_id")
_CLIENT: Final = ("appId", "clientId", "client_id")
_SECRET: Final = ("password", "clientSecret", "client_secret")
_PLACE: Final = ("activeDirectoryEndpointUrl", "authority")
_kept: dict[str, tuple[str, float]] = {}  # Entra's tokens by the digest of their key, and when they run out


async def signed_in(upstream: Upstream, access: Access, call: Call) -> Call:
    """The call with what its provider wants beyond the key. Raises `UpstreamError(AUTH | UNREACHABLE | …)`."""
    provider = access.provider
    if not provider.must_sign_in:
        return call
    key = access.key.reveal().strip() if access.key else ""
    match provider.auth:
        case Auth.AWS:
            return msgspec.structs.replace(call, headers=await aws.authorized(call.url, call.headers, call.body))
        case Auth.GOOGLE if not key or auth.is_json_key(key):
            return msgspec.structs.replace(call, headers=await google_tokens.authorized(key, call.headers))
        case Auth.ENTRA | Auth.ENTRA_X if auth.is_json_key(key):
            token = await _entra_token(upstream, key, call)
            return msgspec.structs.replace(call, headers={**call.headers, "authorization": f"Bearer {token}"})
        case _:
            return call


def secret_of(call: Call) -> str:
    """The token that a call carries, for masking it in a refusal's words; empty if there is none."""
    kind, _, token = call.headers.get("authorization", "").partition(" ")
    return token if kind == "Bearer" else ""


async def _entra_token(upstream: Upstream, key: str, call: Call) -> str:
    name = digest(key, 64)
    token, ends = _kept.get(name, ("", 0.0))
    if time.monotonic() < ends - _EARLY_SECONDS:
        return token
    started = time.monotonic()
    url, form = _entra_request(key)
    reply = await upstream.send(
        Call(
            "Microsoft Entra",
            url,
            {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
            form.encode(),
            call.timeouts,
        )
    )
    try:
        body = await (reply.read(1_000_000) if reply.status == 200 else reply.error_body())
    finally:
        reply.close()
    if reply.status != HTTPStatus.OK:
        raise _entra_refusal(reply.status, reply.headers, body)
    try:
        fields = Fields.parse(body)
        token, seconds = fields.text("access_token"), fields.optional("expires_in", int) or 0
    except ShapeError:
        raise UpstreamError(FailureKind.PROTOCOL, "Microsoft Entra gave no token.", status=reply.status) from None
    while len(_kept) >= _MOST_KEPT:
        _kept.pop(next(iter(_kept)))
    _kept[name] = token, started + seconds
    return token


def _entra_refusal(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Only what Entra says of the principal is the key's fault; its own trouble passes."""
    try:
        fields = Fields.parse(body)
        told = fields.text_or("error_description", "") or fields.text_or("error", "")
    except ShapeError:
        told = ""
    is_principals_fault = status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS
    return UpstreamError(
        FailureKind.AUTH if is_principals_fault else refusals.kind_of(status, (), ""),
        f"Microsoft Entra {'refused the service principal' if is_principals_fault else 'gives no tokens now'}.",
        told.splitlines()[0][:300] if told else f"It answered with status {status}.",
        status=status,
        retry_after=refusals.retry_after(headers),
    )


def _entra_request(key: str) -> tuple[str, str]:
    """Address and form of the question for a token. Raises `UpstreamError(AUTH)` if the key lacks a part."""
    try:
        parts = json.loads(key)
        found = [str(next((parts[name] for name in names if parts.get(name)), "")) for names in (_TENANT, _CLIENT, _SECRET)]
        place = str(next((parts[name] for name in _PLACE if parts.get(name)), _ENTRA)).rstrip("/")
    except (ValueError, AttributeError):
        found, place = [""], _ENTRA
    if not all(found):
        raise UpstreamError(
            FailureKind.AUTH,
            "The key for Azure is not a service principal.",
            "Its JSON needs tenant, appId and password, as `az ad sp create-for-rbac` prints them.",
        )
    auth.require_safe(place, has_key=True)
    tenant, client, secret = found
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": _ENTRA_SCOPE}
    return f"{place}/{quote(tenant, safe='')}/oauth2/v2.0/token", urlencode(form)
