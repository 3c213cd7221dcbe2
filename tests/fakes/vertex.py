"""A scripted Google Vertex AI: Gemini and Claude at the addresses of a project and a region, behind tokens that are fetched.

Its token endpoint takes what Google's takes: an assertion that the service account's private key has signed, for this very
endpoint, with the right scope, for an hour at most. What it gives out is the only credential that the models take.
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes import anthropic_rules, anthropic_wire, gemini_rules, gemini_wire
from tests.fakes.anthropic_rules import RefusalError
from tests.fakes.upstream import COUNTED_TOKENS, Received, Upstream, Vendor, WireSpeech

PROJECT: Final = "lynkr-test-1"
REGION: Final = "europe-west4"
EMAIL: Final = f"proxy@{PROJECT}.iam.gserviceaccount.com"
PRIVATE_KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY_TEXT: Final = PRIVATE_KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_AUDIENCE: Final = "https://oauth2.googleapis.com/token"  # for whom Google's library signs, wherever it sends that
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ADDRESS: Final = re.compile(
    r"/v1/projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)/publishers/(?P<publisher>google|anthropic)"
    r"/models/(?P<model>[^/:?]+):(?P<verb>\w+(\?alt=sse)?)"
)
_VERBS: Final = {
    "google": {"generateContent": False, "streamGenerateContent?alt=sse": True},
    "anthropic": {"rawPredict": False, "streamRawPredict": True},
}
_BETAS: Final = re.compile(
    r"context-1m-|context-management-|interleaved-thinking-|compact-|web-search-|tool-search-tool-|computer-use-"
)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def check_assertion(assertion: str, audience: str, key_id: str) -> None:
    """Raise `RefusalError` unless this is a service account's right assertion for that audience."""
    head, claims, signature = assertion.split(".")
    if {"alg": "RS256", "kid": key_id} != {name: json.loads(_decoded(head)).get(name) for name in ("alg", "kid")}:
        raise RefusalError("invalid_grant")
    try:
        PRIVATE_KEY.public_key().verify(_decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise RefusalError("Invalid JWT Signature.") from None
    told = json.loads(_decoded(claims))
    now = time.time()
    is_timely = told["iat"] - 60 <= now <= told["exp"] and told["exp"] - told["iat"] <= 3600
    if (told["iss"], told["aud"], told["scope"]) != (EMAIL, audience, _SCOPE) or not is_timely:
        raise RefusalError(f"Invalid JWT: {told}")


def check(headers: Mapping[str, str], body: Any, key: str) -> None:
    """Raise `RefusalError` for what Vertex would refuse. The address was already read into the headers."""
    check_headers(dict(headers), key)
    if complaint := headers.get("x-fake-refusal"):
        status, _, message = complaint.partition(" ")
        raise RefusalError(message, int(status))
    if headers["x-fake-publisher"] == "google":
        rest = {name: value for name, value in headers.items() if name != "authorization"}
        gemini_rules.check({**rest, "x-goog-api-key": "k"}, body, "k")
        return
    if body.pop("anthropic_version", "") != "vertex-2023-10-16":
        raise RefusalError("anthropic_version: Field required")
    if "anthropic-version" in headers:
        raise RefusalError("two versions came")
    for beta in filter(None, headers.get("anthropic-beta", "").split(",")):
        if not _BETAS.match(beta):
            raise RefusalError(f"Unexpected value(s) `{beta}` for the `anthropic-beta` header.")
    if '"scope"' in json.dumps(body.get("system", "")):
        raise RefusalError("system.0.cache_control.ephemeral.scope: Extra inputs are not permitted")
    for field in ("mcp_servers", "container", "service_tier", "speed", "inference_geo"):
        if field in body:
            raise RefusalError(f"{field}: Extra inputs are not permitted")
    rest = {name: value for name, value in headers.items() if name != "authorization"}
    anthropic_rules.check({**rest, "x-api-key": "k", "anthropic-version": "2023-06-01"}, body, "k")


def check_headers(headers: dict[str, str], key: str) -> None:
    """One of the tokens that were given out, and no other credential."""
    if headers.get("x-fake-token") != "right" or "x-api-key" in headers or "x-goog-api-key" in headers:
        raise RefusalError("Request had invalid authentication credentials. Expected OAuth 2 access token.", 401)


VERTEX: Final = Vendor("vertex", "/chat", check, check_headers, gemini_wire, ("x-fake", "vertex"))


class VertexUpstream(Upstream):
    """Vertex AI. `models` are those that it knows; `lifetime_seconds` is how long its tokens say that they last."""

    def __init__(self, key_id: str, models: tuple[str, ...]) -> None:
        super().__init__(VERTEX, key_id)
        self._models = models
        self.lifetime_seconds = 3599
        self.tokens: list[str] = []

    @property
    def base_url(self) -> str:
        """The address of an account in the right project and region."""
        return f"{self.url}/v1/projects/{PROJECT}/locations/{REGION}"

    @property
    def credential(self) -> str:
        """The service account, as the console gives it."""
        account = {"type": "service_account", "project_id": PROJECT, "private_key_id": self.key, "private_key": KEY_TEXT}
        return json.dumps(account | {"client_email": EMAIL, "client_id": "1", "token_uri": f"{self.url}/token"}, indent=2)

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        received = await super()._read(reader)
        found = _ADDRESS.fullmatch(received.path) if received else None
        if received is None or found is None or found["model"] == "count-tokens":
            return received
        verbs, model = _VERBS[found["publisher"]], unquote(found["model"])
        received.path = self.vendor.chat_path
        body = json.loads(received.body)
        told = {"model": model, "stream": verbs.get(found["verb"], False)}
        token = received.headers.get("authorization", "").removeprefix("Bearer ")
        received.headers |= {"x-fake-token": "right" if token in self.tokens else "wrong", "x-fake-model": model}
        received.headers["x-fake-publisher"] = found["publisher"]
        if refusal := self._refusal(found, model, body):
            received.headers["x-fake-refusal"] = refusal
        received.body = json.dumps({**body, **told}).encode()
        return received

    def _refusal(self, found: re.Match[str], model: str, body: Mapping[str, Any]) -> str:
        """Status and words for an address that leads nowhere."""
        place = f"projects/{found['project']}/locations/{found['region']}"
        if found["project"] != PROJECT:
            return f"403 Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/{place}'."
        if found["region"] != REGION:
            return f"400 User location {found['region']} is not supported."
        if model not in self._models:
            return f"404 Publisher Model `{place}/publishers/{found['publisher']}/models/{model}` was not found."
        if found["verb"] not in _VERBS[found["publisher"]]:
            return "404 The requested URL was not found on this server."
        is_streamed = _VERBS[found["publisher"]][found["verb"]]
        is_claude = found["publisher"] == "anthropic"
        if "model" in body or body.get("stream", False) is not (is_streamed and is_claude):
            return "400 model or stream: Extra inputs are not permitted"
        return ""

    def _speech(self, received: Received) -> WireSpeech:
        return gemini_wire if received.headers["x-fake-publisher"] == "google" else anthropic_wire

    async def _answer_aside(self, path: str, received: Received, writer: asyncio.StreamWriter) -> bool:
        if path == "/token":
            return await self._give_token(received, writer)
        if path.endswith("/publishers/anthropic/models/count-tokens:rawPredict") and "model" in received.json:
            return await self._reply(200, json.dumps({"input_tokens": COUNTED_TOKENS}).encode(), received, writer)
        return await super()._answer_aside(path, received, writer)

    async def _give_token(self, received: Received, writer: asyncio.StreamWriter) -> bool:
        form = {name: values[0] for name, values in parse_qs(received.body.decode()).items()}
        try:
            check_assertion(form["assertion"] if form["grant_type"] == _GRANT else "a.b.c", _AUDIENCE, self.key)
        except RefusalError as error:
            body = {"error": "invalid_grant", "error_description": error.message}
            return await self._reply(400, json.dumps(body).encode(), received, writer)
        self.tokens.append(f"ya29.fake-token-number-{len(self.tokens) + 1}")
        token = {"access_token": self.tokens[-1], "expires_in": self.lifetime_seconds, "token_type": "Bearer"}
        return await self._reply(200, json.dumps(token).encode(), received, writer)
