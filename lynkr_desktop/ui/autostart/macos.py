"""Start at login on macOS: a launch agent of the user. The system's own list of login items may still forbid it."""

import plistlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LABEL: Final = "io.github.lynkr-desktop"


class LaunchAgent:
    """`folder` is the user's `Library/LaunchAgents`."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self._file = folder / f"{LABEL}.plist"
        self._command = list(command)

    def is_on(self) -> bool:
        """Is our agent there, and to be run at login?"""
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            return False
        try:
            agent = plistlib.loads(content)
        except (plistlib.InvalidFileException, ValueError):
            return False
        return isinstance(agent, dict) and agent.get("RunAtLoad") is True and agent.get("Disabled") is not True

    def turn(self, *, on: bool) -> None:
        """Write the agent, or delete it. It is not run now: the program runs already."""
        if not on:
            self._file.unlink(missing_ok=True)
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        agent = {"Label": LABEL, "ProgramArguments": self._command, "RunAtLoad": True, "ProcessType": "Interactive"}
        temporary = self._file.with_suffix(".tmp")
        temporary.write_bytes(plistlib.dumps(agent))
        temporary.replace(self._file)
