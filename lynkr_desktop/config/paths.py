"""Where everything lies on this machine. Finds and creates folders; reads and writes no file in them."""

import contextlib
import getpass
import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from lynkr_desktop.errors import ConfigError

DATA_DIR_VARIABLE: Final = "LYNKR_DATA_DIR"
_APP: Final = "lynkr-desktop"


@dataclass(frozen=True, slots=True)
class Paths:
    """Files and folders of one user. `data_dir` also holds what other rooms keep (leases, backups)."""

    data_dir: Path
    settings_file: Path
    ledger_file: Path
    log_dir: Path
    runtime_dir: Path  # sockets and locks of the running program; emptied by the system


def paths(environment: Mapping[str, str]) -> Paths:
    """The system's usual places, or everything under `LYNKR_DATA_DIR`. Creates nothing."""
    chosen = environment.get(DATA_DIR_VARIABLE, "").strip()
    if chosen:
        root = Path(chosen).expanduser().absolute()
        return Paths(root, root / "settings.json", root / "ledger.db", root / "logs", root / "run")
    dirs = platformdirs.PlatformDirs(_APP, appauthor=False, roaming=False)
    data = dirs.user_data_path
    return Paths(
        data_dir=data,
        settings_file=dirs.user_config_path / "settings.json",
        ledger_file=data / "ledger.db",
        log_dir=dirs.user_log_path,
        runtime_dir=_runtime_dir(environment, dirs, data),
    )


def _runtime_dir(environment: Mapping[str, str], dirs: platformdirs.PlatformDirs, data: Path) -> Path:
    """The session's own folder. Without one (in a container, say) Linux would offer the shared /tmp, so it lies with the data."""
    if not sys.platform.startswith("linux"):
        return dirs.user_runtime_path
    session = environment.get("XDG_RUNTIME_DIR", "")
    return Path(session) / _APP if session and os.access(session, os.W_OK) else data / "run"


def channel_of(places: Paths) -> str:
    """Where the running desktop program can be asked: a socket file in the user's own folder; on Windows the name of a pipe."""
    socket = places.runtime_dir / "lynkr-desktop.sock"
    return pipe_name(socket) if sys.platform == "win32" else str(socket)


def pipe_name(path: Path) -> str:
    """The name of the pipe that stands for a socket file, made from it and from the user's name."""
    user = ""
    with contextlib.suppress(OSError, ImportError, KeyError):
        user = getpass.getuser()
    return "lynkr-desktop-" + hashlib.sha256(f"{user}\n{path}".encode()).hexdigest()[:24]


def create_folders(places: Paths) -> None:
    """Create what is missing, readable by this user only. Raises `ConfigError` that names the folder.

    A folder that is already there keeps its mode: it may be one that the user chose and shares.
    """
    for folder in (places.data_dir, places.settings_file.parent, places.ledger_file.parent, places.log_dir, places.runtime_dir):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The folder {folder} cannot be created.",
                f"{error.strerror or error}. Make it writable, or set {DATA_DIR_VARIABLE} to another folder.",
            ) from error
