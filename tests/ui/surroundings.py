"""The program around the engine, for tests of the window: folders of the test, secrets in memory, a switch that remembers."""

from collections.abc import Awaitable, Coroutine
from pathlib import Path
from typing import Any

from lynkr_desktop.config.paths import create_folders, paths
from lynkr_desktop.config.secrets import TOKEN_REF, Secret, SecretStore, SessionSecrets
from lynkr_desktop.startup import known_names
from lynkr_desktop.ui.premises import Door, Premises, Surroundings

TOKEN = "lynkr-token-of-the-tests-0123456789"


class Switch:
    """Start at login. `refuses` is raised by every call while it is set."""

    def __init__(self) -> None:
        self.is_turned_on = False
        self.refuses: OSError | None = None

    def is_on(self) -> bool:
        if self.refuses is not None:
            raise self.refuses
        return self.is_turned_on

    def turn(self, *, on: bool) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.is_turned_on = on


class NoDoor:
    """Where there is no engine."""

    def __init__(self) -> None:
        self.token = Secret("")
        self.forgotten = 0

    async def set_token(self, token: Secret) -> None:
        self.token = token

    async def forget_exchanges(self) -> None:
        self.forgotten += 1


def around(folder: Path, switch: Switch | None = None, **more: Any) -> Surroundings:
    """A program whose files are all in `folder`."""
    places = paths({"LYNKR_DATA_DIR": str(folder)})
    create_folders(places)
    return Surroundings(places, known_names(), autostart=switch or Switch(), **more)


def premises(
    surroundings: Surroundings,
    secrets: SecretStore | None = None,
    door: Door | None = None,
    run: Any = None,
    retry: Any = None,
) -> Premises:
    """The premises. Without an engine, what would run there runs here."""

    def here(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None]:
        return coroutine

    async def again() -> None: ...

    store = secrets or SessionSecrets({TOKEN_REF: Secret(TOKEN)})
    return Premises(surroundings, store, door or NoDoor(), run or here, retry=retry or again, learn=lambda _: None)
