"""Start at login on three systems: what is written is what the system reads, and its own switches are respected."""

import plistlib
from pathlib import Path

import pytest

from lynkr_desktop.ui import autostart
from lynkr_desktop.ui.autostart import linux, macos
from lynkr_desktop.ui.autostart.linux import DesktopEntry
from lynkr_desktop.ui.autostart.macos import LaunchAgent
from lynkr_desktop.ui.autostart.windows import APPROVED, RUN, VALUE, RunKey

COMMAND = ('/opt/My "Apps"/50%/lynkr', "--background")


def test_linux_entry_comes_and_goes(tmp_path: Path) -> None:
    entry = DesktopEntry(tmp_path / "autostart", COMMAND)
    assert not entry.is_on()
    entry.turn(on=True)
    assert entry.is_on()
    text = (tmp_path / "autostart" / linux.NAME).read_text()
    assert 'Exec="/opt/My \\\\"Apps\\\\"/50%%/lynkr" "--background"\n' in text
    entry.turn(on=False)
    assert not entry.is_on()
    entry.turn(on=False)
    assert list((tmp_path / "autostart").iterdir()) == []


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_linux_switch_of_the_desktop_is_shown(tmp_path: Path, line: str) -> None:
    entry = DesktopEntry(tmp_path, COMMAND)
    entry.turn(on=True)
    file = tmp_path / linux.NAME
    file.write_text(file.read_text().replace("X-GNOME-Autostart-enabled=true", line))
    assert not entry.is_on()
    entry.turn(on=True)
    assert entry.is_on()


def test_macos_agent(tmp_path: Path) -> None:
    agent = LaunchAgent(tmp_path / "LaunchAgents", COMMAND)
    assert not agent.is_on()
    agent.turn(on=True)
    assert agent.is_on()
    file = tmp_path / "LaunchAgents" / f"{macos.LABEL}.plist"
    written = plistlib.loads(file.read_bytes())
    assert written["ProgramArguments"] == list(COMMAND)
    file.write_bytes(plistlib.dumps({**written, "Disabled": True}))
    assert not agent.is_on()
    file.write_text("not a property list")
    assert not agent.is_on()
    agent.turn(on=False)
    assert not file.exists()


class MemoryRegistry:
    """The user's registry, in memory."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str | bytes] = {}

    def read(self, key: str, name: str) -> str | bytes | None:
        return self.values.get((key, name))

    def write(self, key: str, name: str, value: str) -> None:
        self.values[key, name] = value

    def delete(self, key: str, name: str) -> None:
        self.values.pop((key, name), None)


def test_windows_run_key_and_the_task_managers_switch() -> None:
    registry = MemoryRegistry()
    run = RunKey(registry, (r"C:\Program Files\Lynkr\lynkr.exe", "--background"))
    run.turn(on=True)
    assert registry.values[RUN, VALUE] == r'"C:\Program Files\Lynkr\lynkr.exe" --background'
    assert run.is_on()
    registry.values[APPROVED, VALUE] = bytes([3]) + bytes(11)
    assert not run.is_on()
    run.turn(on=True)
    assert run.is_on()
    registry.values[APPROVED, VALUE] = bytes([2]) + bytes(11)
    assert run.is_on()
    run.turn(on=False)
    assert registry.values == {}


def test_an_appimage_names_itself() -> None:
    assert autostart.start_command({"APPIMAGE": "/home/you/Lynkr.AppImage"}) == ("/home/you/Lynkr.AppImage", "--background")
