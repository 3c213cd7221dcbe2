"""A private virtual desktop for journeys: its own screen, session bus, folders and, if wanted, a real panel.

By hand: `python -m tests.rig.desk [--panel] COMMAND…` runs a program there. Everything started here is ended by its own process.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

_T = TypeVar("_T")

_PROGRAMS: Final = ("Xvfb", "dbus-daemon", "openbox")
_PANEL: Final = "xfce4-panel"
_DEADLINE_SECONDS: Final = 20.0

# One panel at the bottom whose only plug-in is the tray.
_PANEL_SETTINGS: Final = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=8;x=640;y=784"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty"><property name="plugin-1" type="string" value="systray"/></property>
</channel>
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A running desktop. `environment` is what a program there must get; `bus` is the address of its session bus."""

    folder: Path
    environment: Mapping[str, str]
    bus: str


def missing_programs(*, has_panel: bool = False) -> tuple[str, ...]:
    """What this machine would have to install first."""
    wanted = (*_PROGRAMS, _PANEL) if has_panel else _PROGRAMS
    return tuple(name for name in wanted if shutil.which(name) is None)


def until(claim: Callable[[], _T | None], what: str, seconds: float = _DEADLINE_SECONDS) -> _T:
    """Ask again until there is an answer. Fails with `what` did not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = claim()
        if answer:
            return answer
        time.sleep(0.03)
    raise AssertionError(f"Waited {seconds:g} s in vain for {what}.")


@contextlib.contextmanager
def private_desk(folder: Path, *, has_panel: bool = False) -> Iterator[Desk]:
    """A desktop that lives as long as the `with`."""
    with contextlib.ExitStack() as stack:
        environment = _environment(folder)
        bus = _first_line(stack, ["dbus-daemon", "--session", "--nofork", "--print-address=1"], environment, folder)
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus
        display = _first_line(
            stack, ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"], environment, folder
        )
        environment["DISPLAY"] = f":{display}"
        _start(stack, ["openbox", "--sm-disable"], environment, folder)
        if has_panel:
            settings = folder / "config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml"
            settings.parent.mkdir(parents=True)
            settings.write_text(_PANEL_SETTINGS)
            environment["XDG_CURRENT_DESKTOP"] = "XFCE"
            _start(stack, [_PANEL, "--disable-wm-check"], environment, folder)
        yield Desk(folder, environment, bus)


def _environment(folder: Path) -> dict[str, str]:
    ours = {"runtime": "XDG_RUNTIME_DIR", "config": "XDG_CONFIG_HOME", "data": "XDG_DATA_HOME", "cache": "XDG_CACHE_HOME"}
    inherited = {"WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "DISPLAY", "XDG_CURRENT_DESKTOP", "DBUS_SESSION_BUS_ADDRESS"}
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    for name, variable in {**ours, "home": "HOME"}.items():
        (folder / name).mkdir(mode=0o700)
        environment[variable] = str(folder / name)
    environment["XDG_STATE_HOME"] = str(folder / "data")
    return environment


def _start(
    stack: contextlib.ExitStack, command: list[str], environment: Mapping[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    log = stack.enter_context((folder / f"{Path(command[0]).name}.log").open("wb"))
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, stderr=log)
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _first_line(stack: contextlib.ExitStack, command: list[str], environment: Mapping[str, str], folder: Path) -> str:
    process = _start(stack, command, environment, folder)
    assert process.stdout is not None
    line = process.stdout.readline().decode().strip()
    if not line:
        raise AssertionError(f"{command[0]} did not start: {(folder / f'{command[0]}.log').read_text()}")
    return line


def main() -> int:
    """Run a program on a desktop of its own."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--panel", action="store_true", help="with a real panel")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, private_desk(Path(folder), has_panel=chosen.panel) as desk:
        return subprocess.run(chosen.command, env=dict(desk.environment), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
