"""How a key travels, and where to. Pure functions from a provider's entry to headers and addresses; no network, no key store."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.engine.providers.provider import Auth, Provider
from lynkr_desktop.errors import ConfigError

_PORTS: Final = {"http": 80, "https": 443}
_OTHER_VERSION: Final = re.compile(r"/v\d+\w*(/openai)?$")  # such a base stands for itself: …/v4, …/v1beta/openai
_VERSION: Final = re.compile(r"^/v\d+\w*")
_MODEL_CALL: Final = re.compile(r"/models/[^/]+:\w+$")  # of an address that names a model, as Google's do
_HOST: Final = re.compile(r"[\w.:-]+")
_KEY: Final = re.compile(r"[\x21-\x7e]+")
_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")  # a token of Entra, as its command line prints it
_ENTRA: Final = frozenset({Auth.ENTRA, Auth.ENTRA_X})
_PLACES: Final = {
    Auth.X_API_KEY: "x-api-key",
    Auth.OPTIONAL_X_API_KEY: "x-api-key",
    Auth.ENTRA_X: "x-api-key",
    Auth.API_KEY: "api-key",
    Auth.ENTRA: "api-key",
    Auth.X_GOOG_API_KEY: "x-goog-api-key",
    Auth.GOOGLE: "x-goog-api-key",
}


def headers_for(provider: Provider, key: Secret | str | None) -> dict[str, str]:
    """The provider's fixed headers and the key in its place, names in lower case.

    The result holds the key in the clear: it goes into the call and nowhere else. A key of JSON stands in no header: what it is
    good for is fetched (see `sign_in`). Raises `ConfigError` if a key is needed and missing, or cannot stand in a header.
    """
    headers = {name.lower(): value for name, value in provider.headers.items()}
    text = (key.reveal() if isinstance(key, Secret) else key or "").strip()
    if provider.auth is Auth.NONE:
        return headers
    if not text:
        if provider.needs_key:
            raise ConfigError(f"{provider.title} needs a key.", "Enter it on the Providers page.", field="key")
        return headers
    if provider.takes_json_key and is_json_key(text):
        return headers
    if not _KEY.fullmatch(text):
        raise ConfigError(
            f"The key for {provider.title} cannot be sent.",
            "It holds spaces or other odd characters. Paste it again.",
            field="key",
        )
    name = _PLACES.get(provider.auth, "")
    if name and not (provider.auth in _ENTRA and _TOKEN.fullmatch(text)):
        headers[name] = text
    else:
        headers["authorization"] = f"Bearer {text}"
    return headers


def is_json_key(text: str) -> bool:
    """Is this what a cloud gives as a file: a service account, a service principal?"""
    return text.lstrip().startswith("{")


def chat_url(provider: Provider, base_url: str = "", model: str = "", *, is_streamed: bool = False) -> str:
    """The address of a conversation. `base_url` empty means the provider's own. Raises `ConfigError` if it cannot be used.

    `model` and `is_streamed` matter where the provider wants them in the address.
    """
    path = provider.stream_path if is_streamed and provider.stream_path else provider.chat_path
    return joined(provider, base_url, _filled(path, model))


def models_url(provider: Provider, base_url: str = "") -> str:
    """The address of the list of models; empty if the provider has none."""
    return joined(provider, base_url, provider.models_path) if provider.models_path else ""


def embeddings_url(provider: Provider, base_url: str = "", model: str = "") -> str:
    """The address that makes vectors of texts; empty if the provider has none."""
    return joined(provider, base_url, _filled(provider.embeddings_path, model)) if provider.embeddings_path else ""


def _filled(path: str, model: str) -> str:
    return path.replace("{model}", quote(model.removeprefix("models/"), safe="@"))


def count_url(provider: Provider, base_url: str = "", model: str = "") -> str:
    """The address of exact token counting; empty if the provider has none."""
    return joined(provider, base_url, _filled(provider.count_path, model)) if provider.count_path else ""


def origin_of(url: str) -> str:
    """Scheme, host and port of an address in one spelling, for binding a key to it. Raises `ConfigError` if it is none."""
    parts = _parsed(url)
    return f"{parts.scheme}://{_netloc(parts)}"


def require_safe(url: str, *, has_key: bool) -> None:
    """Raise `ConfigError` if a key would travel in the clear: plain http only to this machine or a private network."""
    parts = _parsed(url)
    if has_key and parts.scheme == "http" and not is_private(parts.hostname or ""):
        raise ConfigError(
            "The address is not encrypted.", f"A key may not travel to {parts.hostname} over http. Use https.", field="base_url"
        )


def is_loopback(host: str) -> bool:
    """Is it this machine?"""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Is it this machine or one of a private network? Names count as private only if they can have no public address."""
    if is_loopback(host) or host.lower().endswith((".local", ".internal", ".lan", ".home.arpa")):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return "." not in host
    return address.is_private and not address.is_unspecified


def joined(provider: Provider, base_url: str, path: str) -> str:
    """Base and path, whatever of the path the base already holds."""
    text = base_url.strip() or provider.base_url
    if not text:
        example = provider.example or "http://127.0.0.1:8000"
        raise ConfigError(f"{provider.title} has no address.", f"Enter one, for example {example}.", field="base_url")
    parts = _parsed(text)
    root = _root(provider, parts.path)
    if _OTHER_VERSION.search(root):
        path = _VERSION.sub("", path)
    path, _, query = path.partition("?")
    if parts.query:  # what the user entered goes before the provider's own
        given = {each.partition("=")[0] for each in parts.query.split("&")}
        query = "&".join([parts.query, *(each for each in query.split("&") if each and each.partition("=")[0] not in given)])
    return urlunsplit((parts.scheme, _netloc(parts), root + path, query, ""))


def _root(provider: Provider, path: str) -> str:
    """The base's path without anything that the provider's own paths bring: a whole endpoint, a version, doubled slashes."""
    path = _MODEL_CALL.sub("", re.sub(r"/{2,}", "/", path).rstrip("/"))
    paths = (provider.count_path, provider.stream_path, provider.chat_path, provider.models_path, *provider.other_paths)
    for call in paths:
        if call:
            path = _without_end(path, call.partition("?")[0])
    path = _without_end(path, _VERSION.sub("", provider.chat_path.partition("?")[0]))
    path = _without_beginning(path, provider.chat_path.partition("?")[0])
    own = _VERSION.match(provider.chat_path)
    version = own[0] if own else "/v1"
    while path.endswith(version):
        path = path.removesuffix(version)
    return path


def _without_end(path: str, end: str) -> str:
    """The path without an end, in which any model may stand."""
    pattern = re.escape(end).replace(re.escape("{model}"), "[^/]+")
    return re.sub(f"{pattern}$", "", path).rstrip("/")


def _without_beginning(path: str, call: str) -> str:
    """The path without what already belongs to a call: `/openai/v1` of `/openai/v1/chat/completions`."""
    folders = call.split("/")
    for count in range(len(folders) - 1, 1, -1):
        shorter = _without_end(path, "/".join(folders[:count]))
        if shorter != path:
            return shorter
    return path


def _netloc(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    host = "127.0.0.1" if host == "localhost" else host
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, _PORTS[parts.scheme]) else f"{host}:{parts.port}"


def _parsed(url: str) -> SplitResult:
    """The parts of an http(s) address. One without a scheme is https, or http where the host is private."""
    text = url.strip()
    if "://" not in text:
        text = ("http://" if is_private(re.split(r"[:/]", text)[0]) else "https://") + text
    try:
        parts = urlsplit(text)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_valid = urlsplit(""), False
    if parts.scheme not in _PORTS or not _HOST.fullmatch(parts.hostname or "") or not port_is_valid:
        raise ConfigError(
            "The address cannot be used.", "It must begin with http:// or https:// and name a host.", field="base_url"
        )
    if parts.username or parts.password:
        raise ConfigError("The address holds a password.", "Remove it, and enter the key in its own field.", field="base_url")
    return parts
