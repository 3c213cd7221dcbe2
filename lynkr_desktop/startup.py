"""What both programs do first: read places, settings, environment and `.env` in their order. Starts nothing."""

import dataclasses
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from lynkr_desktop.config import environment as env_names
from lynkr_desktop.config import file as settings_file
from lynkr_desktop.config.paths import DATA_DIR_VARIABLE, Paths, create_folders, paths
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import TIERS, Account, Mode, Settings, Target
from lynkr_desktop.engine.providers import catalogue
from lynkr_desktop.engine.providers.embedded import EmbeddedModel
from lynkr_desktop.engine.providers.places import address_of
from lynkr_desktop.errors import ConfigError

EMBEDDED: Final = "embedded"
_ALWAYS_READ: Final = frozenset({DATA_DIR_VARIABLE, "LYNKR_TOKEN", "LYNKR_TOKEN_FILE", "PORT"})
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Startup:
    """Where everything is and what was decided.

    `saved` is what the settings file says, `settings` the same under the environment; `given` are its secrets by ref.
    """

    places: Paths
    saved: Settings
    settings: Settings
    is_read_only: bool
    given: Mapping[str, Secret]
    notices: tuple[str, ...]
    is_first: bool = False  # there was no settings file


def read(environment: Mapping[str, str], env_file: Path | None, *, is_desktop: bool = False) -> Startup:
    """Read it all. The environment wins over the `.env` file, both over the settings file. Raises `ConfigError`.

    The desktop program passes over keys that merely lie in the user's environment for other programs: without MODEL_PROVIDER or a
    TIER_* beside them nobody asked for an account.
    """
    merged = {**(env_names.read_env_file(env_file) if env_file else {}), **environment}
    if is_desktop and not any(name == "MODEL_PROVIDER" or name.startswith("TIER_") for name in merged):
        merged = {name: value for name, value in merged.items() if name in _ALWAYS_READ}
    merged = env_names.with_secret_files(merged, known_names())
    places = paths(merged)
    create_folders(places)
    loaded = settings_file.load(places.settings_file)
    is_first = not places.settings_file.exists()
    saved = with_built_in_model(loaded.settings) if is_first else loaded.settings
    settings, given, notices = env_names.apply_environment(loaded.settings, merged, known_names())
    settings = with_built_in_model(settings) if is_first else settings
    first = [loaded.notice] if loaded.notice else []
    return Startup(places, saved, settings, loaded.is_read_only, given, (*first, *notices), is_first)


def known_names() -> dict[str, env_names.ProviderNames]:
    """The catalogue in the form that the environment's reader wants."""
    aliases: dict[str, list[str]] = {}
    for alias, name in catalogue.ALIASES.items():
        aliases.setdefault(name, []).append(alias)
    return {
        entry.id: env_names.ProviderNames(
            id=entry.id,
            aliases=tuple(aliases.get(entry.id, ())),
            key=entry.env.key,
            model=entry.env.model,
            endpoint=entry.env.endpoint,
            base=entry.env.base,
            chat_path=entry.chat_path,
            default_base_url=entry.base_url,
            is_local=entry.is_local,
            needs_key=entry.needs_key,
            default_model=entry.default_model,
            path=entry.env.path,
            key_file=entry.env.key_file,
            key_parts=entry.env.key_parts,
            instead=entry.env.instead,
            most_at_once=entry.env.most_at_once,
            places=tuple((place.name, place.variables) for place in entry.places),
            address=partial(address_of, entry),
            twin=entry.twin,
            is_embedded=entry.is_embedded,
            is_program=entry.is_program,
        )
        for entry in catalogue.PROVIDERS.values()
    }


def with_built_in_model(settings: Settings) -> Settings:
    """At the very first start, with nothing set up: the built-in model serves all four tiers, if it is installed."""
    if settings.accounts or not EmbeddedModel().is_available():
        return settings
    entry = catalogue.PROVIDERS[EMBEDDED]
    target = Target(EMBEDDED, entry.default_model)
    tiers = settings.routing.tiers
    for tier in TIERS:
        tiers = tiers.with_tier(tier, (target,))
    routing = dataclasses.replace(settings.routing, mode=Mode(), tiers=tiers, direct=target)
    account = Account(EMBEDDED, EMBEDDED, entry.title, model=entry.default_model)
    return dataclasses.replace(settings, accounts=(account,), routing=routing)


def to_save(start: Startup, settings: Settings) -> Settings:
    """Changed settings without what only the environment wants: the file keeps its own values there."""
    return _without_overlay(settings, start.settings, start.saved)


def save_change(start: Startup, make: Callable[[Settings], Settings]) -> None:
    """Change what the settings file holds now, and nothing else in it. Raises `ConfigError`. Reads and writes the file."""
    file = start.places.settings_file
    loaded = settings_file.load(file)
    if loaded.is_read_only:
        raise ConfigError("The settings cannot be saved.", loaded.notice)
    uses_built_in_model = start.settings.account(EMBEDDED) is not None
    kept = start.saved if not file.exists() and uses_built_in_model else loaded.settings
    settings_file.save(file, make(kept))


_T = TypeVar("_T")


def _without_overlay(new: _T, overlay: _T, saved: _T) -> _T:
    if new == overlay:
        return saved
    if not (dataclasses.is_dataclass(new) and not isinstance(new, type) and type(new) is type(overlay) is type(saved)):
        return new
    names = [item.name for item in dataclasses.fields(new)]
    parts = {name: _without_overlay(getattr(new, name), getattr(overlay, name), getattr(saved, name)) for name in names}
    return type(new)(**parts)


def current_environment() -> dict[str, str]:
    """The process's environment."""
    return dict(os.environ)
