"""Addresses made of parts that users know by name: a cloud's region, a project. Pure; no network."""

import re
from collections.abc import Mapping

from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.errors import ConfigError

_NAME = re.compile(r"\{(\w+)\}")


def address_of(provider: Provider, values: Mapping[str, str]) -> str:
    """The address that these parts make; where a part is empty, the usual one stands. Empty if one is missing that has none.

    Raises `ConfigError` that names the part whose value cannot be one.
    """
    filled: dict[str, str] = {}
    for place in provider.places:
        value = values.get(place.name, "").strip() or place.usual
        if value and not re.fullmatch(place.pattern, value):
            like = f"It looks like {place.usual}." if place.usual else ""
            raise ConfigError(f"{value[:80]!r} is no {place.name} of {provider.title}.", like, field=place.name)
        filled[place.name] = value
    if not provider.places or not all(filled.values()):
        return ""
    host = provider.hosts.get(filled.get("region", ""), provider.hosts.get("", ""))
    return provider.address.replace("{host}", host).format_map(filled)


def values_of(provider: Provider, base_url: str) -> dict[str, str]:
    """The parts of an address; empty if it has another form: a gateway's, say."""
    parts = _NAME.split(provider.address)  # text, name, text, name, …
    pattern = "".join(f"(?P<{part}>[^/.]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    found = re.fullmatch(pattern.replace("(?P<host>[^/.]+)", "(?P<host>[^/]+)"), base_url.strip().rstrip("/"))
    return {place.name: found[place.name] for place in provider.places} if found else {}
