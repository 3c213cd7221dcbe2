"""Start at login on Windows: a value of the user's Run key. The Task Manager's own switch is read and respected."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Final, Protocol

VALUE: Final = "Lynkr Desktop"
RUN: Final = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED: Final = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"


class Registry(Protocol):
    """The current user's part of the registry."""

    def read(self, key: str, name: str) -> str | bytes | None:
        """A value; None if there is none."""
        ...

    def write(self, key: str, name: str, value: str) -> None:
        """Set a text value."""
        ...

    def delete(self, key: str, name: str) -> None:
        """Remove a value. One that is not there is no error."""
        ...


class RunKey:
    """The program among those that start with the user's session."""

    def __init__(self, registry: Registry, command: Sequence[str]) -> None:
        self._registry = registry
        self._command = subprocess.list2cmdline(command)

    def is_on(self) -> bool:
        """Is our value there, and not switched off in the Task Manager, which marks that with an odd first byte?"""
        if not self._registry.read(RUN, VALUE):
            return False
        mark = self._registry.read(APPROVED, VALUE)
        return not (isinstance(mark, bytes) and mark[:1] and mark[0] % 2)

    def turn(self, *, on: bool) -> None:
        """Set our value, or remove it; either way the Task Manager's mark goes."""
        self._registry.delete(APPROVED, VALUE)
        if on:
            self._registry.write(RUN, VALUE, self._command)
        else:
            self._registry.delete(RUN, VALUE)


if sys.platform == "win32":
    import winreg

    class UserRegistry:
        """The real one."""

        def read(self, key: str, name: str) -> str | bytes | None:
            """A value; None if there is none."""
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
                    value, _ = winreg.QueryValueEx(opened, name)
            except FileNotFoundError:
                return None
            return value if isinstance(value, str | bytes) else None

        def write(self, key: str, name: str, value: str) -> None:
            """Set a text value."""
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as opened:
                winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)

        def delete(self, key: str, name: str) -> None:
            """Remove a value. One that is not there is no error."""
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, 0, winreg.KEY_SET_VALUE) as opened:
                    winreg.DeleteValue(opened, name)
            except FileNotFoundError:
                return
