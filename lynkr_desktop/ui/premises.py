"""What pages may ask of the program around the engine: the endpoint's token, the keychain, files, login. No widgets.

Made and used on the window's thread; what blocks runs in a worker thread.
"""

import asyncio
import json
import platform
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from PySide6.QtCore import QObject, Signal, qVersion

from lynkr_desktop import __version__
from lynkr_desktop.config import environment as env_names
from lynkr_desktop.config import file as settings_file
from lynkr_desktop.config import migrations
from lynkr_desktop.config.client_tokens import new_token
from lynkr_desktop.config.paths import Paths
from lynkr_desktop.config.secrets import ADMIN_REF, TOKEN_REF, KeychainState, Secret, SecretStore, endpoint_token
from lynkr_desktop.config.settings import VERSION, Settings
from lynkr_desktop.engine.port_owner import port_owner
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui.autostart import Autostart

_HINT_LETTERS: Final = 4
_LARGEST_IMPORT: Final = 4 * 1024 * 1024


class Door(Protocol):
    """What is asked of the engine here. Awaited on the engine's loop."""

    async def set_token(self, token: Secret) -> None:
        """Open the endpoint with this token from now on."""
        ...

    async def forget_exchanges(self) -> None:
        """Delete all requests from the ledger. Raises `LynkrError`."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the composition root knows of the world. `given` are the refs of secrets that the environment gave."""

    places: Paths
    known: Mapping[str, env_names.ProviderNames]
    given: frozenset[str] = frozenset()
    autostart: Autostart | None = None
    notice_file: Path | None = None  # the licences of all parts, in the packaged program
    is_first_start: bool = False
    is_port_given: bool = False  # by the environment, which wins over the settings
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # holds secrets


@dataclass(frozen=True, slots=True)
class EnvImport:
    """What a `.env` file wants: the settings as it wants them, secrets by ref, and notices for the user."""

    settings: Settings
    secrets: Mapping[str, Secret]
    notices: tuple[str, ...]


class Premises(QObject):
    """`run` awaits a coroutine on the engine's loop; `retry` asks the keychain again; `learn` keeps a secret out of the log."""

    token_changed = Signal()
    keychain_changed = Signal()

    def __init__(
        self,
        around: Surroundings,
        secrets: SecretStore,
        door: Door,
        run: Callable[[Coroutine[Any, Any, None]], Awaitable[None]],
        *,
        retry: Callable[[], Awaitable[None]],
        learn: Callable[[list[str]], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.around = around
        self._secrets = secrets
        self._door = door
        self._run = run
        self._retry = retry
        self._learn = learn
        self._token = Secret("")
        self._program_tokens: dict[str, Secret] = {}

    # ------------------------------------------------------------ the endpoint's token

    @property
    def token(self) -> Secret:
        """What clients must show; empty until the keychain has answered."""
        return self._token

    @property
    def is_token_given(self) -> bool:
        """Does the environment say the token? Then it cannot be renewed here."""
        return TOKEN_REF in self.around.given

    async def unlock(self) -> None:
        """Fetch the token and open the endpoint with it. Waits as long as the keychain does."""
        await self._use(await endpoint_token(self._secrets))

    async def renew_token(self) -> None:
        """Make another token, keep it and use it; the old one opens nothing any more."""
        await self.keep_token(new_token())

    async def keep_token(self, token: Secret) -> None:
        """Keep a token and use it from now on."""
        if self.is_token_given:
            raise ConfigError("The token comes from LYNKR_TOKEN.", "Change it there and start again.", field="LYNKR_TOKEN")
        await self._secrets.set(TOKEN_REF, token)
        await self._use(token)

    def make_program_token(self, name: str) -> Secret:
        """Another token for a program. It can be copied until the end of this start; nothing of it is kept."""
        token = new_token()
        self._learn([token.reveal()])
        self._program_tokens[name] = token
        return token

    def program_token(self, name: str) -> Secret | None:
        """The token that was made for a program since the start; None if there was none."""
        return self._program_tokens.get(name)

    async def _use(self, token: Secret) -> None:
        self._learn([token.reveal()])
        await self._run(self._door.set_token(token))
        self._token = token
        self.token_changed.emit()

    def token_hint(self) -> str:
        """The token's last letters."""
        value = self._token.reveal()
        return f"…{value[-_HINT_LETTERS:]}" if len(value) >= 3 * _HINT_LETTERS else ""

    # ------------------------------------------------------------ the keychain

    @property
    def keychain_state(self) -> KeychainState:
        """How the keychain does."""
        return self._secrets.state

    @property
    def keychain_detail(self) -> str:
        """What the user can do about it."""
        return self._secrets.detail

    async def retry_keychain(self) -> None:
        """Ask the keychain again. A token that it holds is the one that programs know, so it is used from then on."""
        await self._retry()
        if self._secrets.state is KeychainState.READY:
            await self.unlock()
        self.keychain_changed.emit()

    # ------------------------------------------------------------ login

    async def starts_at_login(self) -> bool | None:
        """The system's own switch; None where there is none, or where it cannot be read."""
        switch = self.around.autostart
        if switch is None:
            return None
        try:
            return await asyncio.to_thread(switch.is_on)
        except OSError:
            return None

    async def start_at_login(self, *, on: bool) -> None:
        """Turn the system's switch. Raises `ConfigError`."""
        switch = self.around.autostart
        if switch is None:
            raise ConfigError("This system has no such switch.")
        try:
            await asyncio.to_thread(lambda: switch.turn(on=on))
        except OSError as error:
            raise ConfigError("The system did not take the change.", f"{error.strerror or error}.") from error

    # ------------------------------------------------------------ files

    async def read_env(self, path: Path, settings: Settings) -> EnvImport:
        """What a `.env` file would change. Changes nothing. Raises `ConfigError`."""
        variables = await asyncio.to_thread(env_names.read_env_file, path)
        wanted, secrets, notices = env_names.apply_environment(settings, variables, self.around.known)
        secrets.pop(ADMIN_REF, None)  # this program is administered in its window
        return EnvImport(wanted, secrets, tuple(notices))

    def keys_found(self) -> tuple[tuple[str, str], ...]:
        """Keys that lie in the environment for anybody's use: the variable's name and the provider's id. Never their values."""
        known = self.around.known.values()
        return tuple((each.key, each.id) for each in known if each.key and self.around.environment.get(each.key, "").strip())

    def read_key(self, variable: str, settings: Settings) -> EnvImport:
        """What one variable of the environment would change. Raises `ConfigError`."""
        value = self.around.environment.get(variable, "")
        wanted, secrets, notices = env_names.apply_environment(settings, {variable: value}, self.around.known)
        return EnvImport(wanted, secrets, tuple(notices))

    async def export_settings(self, path: Path, settings: Settings) -> None:
        """Write the settings, which hold no secret, as JSON. Raises `ConfigError`."""
        await asyncio.to_thread(settings_file.save, path, settings)

    async def read_settings(self, path: Path) -> Settings:
        """Settings that were exported. Raises `ConfigError` that names the place."""
        return await asyncio.to_thread(_settings_in, path)

    async def licences(self) -> str:
        """The licences of all parts; empty where the package does not carry them."""
        file = self.around.notice_file
        return await asyncio.to_thread(file.read_text, "utf-8") if file is not None else ""

    async def owner_of_port(self, port: int) -> str:
        """Who listens on a port of this machine; empty if nobody does. Raises nothing."""
        return await asyncio.to_thread(_owner, port)

    async def forget_exchanges(self) -> None:
        """Delete all requests from the ledger. Raises `LynkrError`."""
        await self._run(self._door.forget_exchanges())

    def diagnostics(self, settings: Settings) -> str:
        """What a report of a fault needs: versions, places and settings. Holds no secret; addresses of providers are in it."""
        head = (
            f"Lynkr Desktop {__version__} · Python {platform.python_version()} · Qt {qVersion()} · {platform.platform()}",
            f"keychain: {self.keychain_state}",
            f"data: {self.around.places.data_dir}",
            f"log: {self.around.places.log_dir}",
        )
        return "\n".join([*head, json.dumps(msgspec.to_builtins(settings), indent=2, ensure_ascii=False)])


def _settings_in(path: Path) -> Settings:
    try:
        if path.stat().st_size > _LARGEST_IMPORT:
            raise ConfigError(f"{path.name} is too large for settings.")
        raw = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read.", f"{error.strerror or error}.") from error
    except (ValueError, RecursionError):
        raise ConfigError(f"{path.name} is not JSON.", "Choose a file that was exported here.") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path.name} does not hold settings.", "Choose a file that was exported here.")
    if migrations.version_of(raw) > VERSION:
        raise ConfigError(f"{path.name} comes from a newer Lynkr Desktop.", "Update this one.")
    return settings_file.convert(migrations.migrate(raw))


def _owner(port: int) -> str:
    import socket  # noqa: PLC0415  only to try one port

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return "the system, which keeps ports below 1024"
        except OSError:
            return port_owner(port)
    return ""
