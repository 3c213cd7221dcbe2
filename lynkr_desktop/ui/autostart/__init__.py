"""Start at login, one module for each system. Shows and changes the system's own switch; decides nothing and keeps no setting."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

BACKGROUND: Final = "--background"


class Autostart(Protocol):
    """The system's switch. Both calls may block: call them in a worker thread."""

    def is_on(self) -> bool:
        """Will the system start the program at login? Raises `OSError`."""
        ...

    def turn(self, *, on: bool) -> None:
        """Change that. Raises `OSError`."""
        ...


def of_this_system(environment: Mapping[str, str]) -> Autostart:
    """The switch of the system that runs us."""
    command = start_command(environment)
    if sys.platform == "darwin":
        from lynkr_desktop.ui.autostart.macos import LaunchAgent  # noqa: PLC0415  each system imports only its own

        return LaunchAgent(Path.home() / "Library" / "LaunchAgents", command)
    elif sys.platform == "win32":  # noqa: RET505  mypy tells the systems apart by this chain only
        from lynkr_desktop.ui.autostart.windows import RunKey, UserRegistry  # noqa: PLC0415

        return RunKey(UserRegistry(), command)
    else:
        from lynkr_desktop.ui.autostart.linux import DesktopEntry  # noqa: PLC0415

        return DesktopEntry(_config_home(environment) / "autostart", command)


def start_command(environment: Mapping[str, str]) -> tuple[str, ...]:
    """How this very program is started again, without showing its window.

    Inside an AppImage the running file lies in a folder that is gone after the end, so the AppImage itself is named.
    """
    if image := environment.get("APPIMAGE", ""):
        return (image, BACKGROUND)
    if getattr(sys, "frozen", False):
        return (sys.executable, BACKGROUND)
    return (sys.executable, "-m", "lynkr_desktop", BACKGROUND)


def _config_home(environment: Mapping[str, str]) -> Path:
    """A relative value is to be ignored, as the XDG specification says."""
    chosen = Path(environment.get("XDG_CONFIG_HOME", ""))
    return chosen if chosen.is_absolute() else Path.home() / ".config"
