"""Bring an older settings file up to today's version: dict to dict, one step per version. No files, no dataclasses."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lynkr_desktop.config.settings import VERSION
from lynkr_desktop.errors import ConfigError

Step = Callable[[dict[str, Any]], dict[str, Any]]


def _several_keys(raw: dict[str, Any]) -> dict[str, Any]:
    """1 → 2: an account may have several keys. The one that it had is the first of them."""

    def changed(account: Any) -> Any:
        if not isinstance(account, dict) or "key_origin" not in account:
            return account  # what is wrong with it is told by whoever reads it
        rest = {name: value for name, value in account.items() if name != "key_origin"}
        return {**rest, "keys": [{"origin": account["key_origin"]}]} if account["key_origin"] else rest

    accounts = raw.get("accounts", [])
    return {**raw, "accounts": [changed(each) for each in accounts]} if isinstance(accounts, list) else raw


STEPS: Final[Mapping[int, Step]] = {1: _several_keys}  # version → what makes version + 1 of it


def version_of(raw: Mapping[str, Any]) -> int:
    """The file's version; a file without one was written by hand and counts as version 1. Raises `ConfigError`."""
    version = raw.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ConfigError("The settings' version is not a whole number from 1.", "Set it to 1.", field="version")
    return version


def migrate(raw: dict[str, Any], steps: Mapping[int, Step] = STEPS, newest: int = VERSION) -> dict[str, Any]:
    """The same settings in the newest version. The input is not changed; a newer file is returned as it is."""
    version = version_of(raw)
    for step in range(version, newest):
        raw = {**steps[step](dict(raw)), "version": step + 1}
    return raw
