"""Start at login on Linux and its relatives: a file in the desktop's autostart folder, as freedesktop.org specifies it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

NAME: Final = "lynkr-desktop.desktop"
_SPECIAL: Final = '"`$\\'


class DesktopEntry:
    """`folder` is the user's autostart folder."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self._file = folder / NAME
        self._command = tuple(command)

    def is_on(self) -> bool:
        """Is our file there, and not switched off inside, as some desktops' settings do?"""
        try:
            lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return False
        values = {key.strip(): value.strip().lower() for key, _, value in (line.partition("=") for line in lines)}
        return values.get("Hidden") != "true" and values.get("X-GNOME-Autostart-enabled") != "false"

    def turn(self, *, on: bool) -> None:
        """Write the file, or delete it."""
        if not on:
            self._file.unlink(missing_ok=True)
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(self._content(), encoding="utf-8")
        temporary.replace(self._file)

    def _content(self) -> str:
        command = " ".join(_quoted(word) for word in self._command)
        return (
            "[Desktop Entry]\n"
            "Type=Application\n"
            "Name=Lynkr\n"
            f"Exec={command}\n"
            "Icon=lynkr-desktop\n"
            "Terminal=false\n"
            "X-GNOME-Autostart-enabled=true\n"
        )


def _quoted(word: str) -> str:
    """A word of `Exec`: quoted for the command, then escaped once more as every text value is; a percent sign is a field code."""
    inside = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in word).replace("%", "%%")
    return '"' + inside.replace("\\", "\\\\") + '"'
