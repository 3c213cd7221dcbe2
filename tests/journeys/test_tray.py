"""The real program in a real tray: an icon on a virtual screen whose menu is read and pressed over D-Bus, as a panel does."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lynkr_desktop.config.file import load, save
from lynkr_desktop.config.settings import Account, Desktop, Mode, ModeKind, Routing, Settings, Target, Tier, TierTargets
from tests.fakes.caller import Caller, Reply
from tests.fakes.program import ROOT, canary, free_port, private_environment
from tests.fakes.script import Refuse, say
from tests.fakes.upstream import OPENAI, Upstream
from tests.rig.desk import Desk, missing_programs, private_desk, until

jeepney = pytest.importorskip("jeepney")

from tests.rig.sni import TrayHost, TrayItem  # noqa: E402  only where jeepney is installed

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(bool(missing_programs()), reason=f"needs {', '.join(missing_programs())}"),
]
ACCOUNT = "openai-compatible"
TIERS = {tier: Target(ACCOUNT, f"model-{tier.lower()}") for tier in Tier}


@dataclass(slots=True)
class Program:
    """The desktop program in a desk of its own."""

    desk: Desk
    environment: dict[str, str]
    token: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def settings(self) -> Settings:
        """What its settings file says."""
        return load(Path(self.environment["LYNKR_DATA_DIR"]) / "settings.json").settings

    def start_again(self) -> subprocess.CompletedProcess[bytes]:
        """A second start while the first one runs."""
        return subprocess.run(_command(), cwd=ROOT, env=self.environment, capture_output=True, timeout=60, check=False)

    def windows(self) -> list[str]:
        """The program's windows that are on the screen."""
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid), "--name", "Lynkr"],
            env=dict(self.desk.environment),
            capture_output=True,
            check=False,
        )
        return found.stdout.decode().split()

    def ask(self) -> Reply:
        """A request as a client program sends it."""
        body = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}
        return Caller(self.url, self.token).post("/v1/chat/completions", body)


def _command() -> list[str]:
    return [sys.executable, "-W", "default", "-m", "lynkr_desktop"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "desk"
    folder.mkdir()
    with private_desk(folder) as desk:
        yield desk


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server on this machine that wants no key."""
    server = Upstream(OPENAI, "").start()
    yield server
    server.stop()


@pytest.fixture
def program(desk: Desk, tmp_path: Path, upstream: Upstream) -> Iterator[Program]:
    token = canary("token")
    environment = private_environment(tmp_path / "home") | dict(desk.environment)
    environment |= {
        "LYNKR_DATA_DIR": str(tmp_path / "lynkr"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PORT": str(free_port()),
        "LYNKR_TOKEN": token,
    }
    tiers = TierTargets(*((TIERS[tier],) for tier in Tier))
    settings = Settings(
        accounts=(Account(ACCOUNT, ACCOUNT, base_url=upstream.url, model="model-direct"),),
        routing=Routing(tiers=tiers, direct=Target(ACCOUNT, "model-direct")),
        desktop=replace(Desktop(), shows_window_at_start=False),
    )
    (tmp_path / "lynkr").mkdir()
    save(tmp_path / "lynkr" / "settings.json", settings)
    log = tmp_path / "program.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(_command(), cwd=ROOT, env=environment, stdout=errors, stderr=errors)
        try:
            yield Program(desk, environment, token, process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    said = log.read_text(errors="replace")
    assert "Traceback" not in said, said
    assert token not in said
    assert process.returncode == 0, said


@contextlib.contextmanager
def tray_of(desk: Desk) -> Iterator[TrayItem]:
    """The icon, as a new tray host finds it."""
    with TrayHost(desk.bus) as host, icon_in(host) as item:
        yield item


@contextlib.contextmanager
def icon_in(host: TrayHost) -> Iterator[TrayItem]:
    """The icon, once the program has registered it."""
    until(lambda: host.items, "an icon in the tray", 60)
    with host.last_item() as item:
        yield item


def checked_mode(item: TrayItem) -> str:
    return next(row.label for top in item.menu() for row in top.children if row.is_checked)


def test_mode_is_chosen_in_the_tray(program: Program, desk: Desk, upstream: Upstream) -> None:
    with tray_of(desk) as item:
        address = program.url.removeprefix("http://")
        until(lambda: item.tooltip == f"Auto tiers · {address} · no requests today", "the state line")
        assert item.menu()[0].label == item.tooltip
        assert checked_mode(item) == "Auto tiers"
        picture = item.picture

        item.press("Mode", "Pin COMPLEX")
        until(lambda: program.settings.routing.mode == Mode(ModeKind.PIN, Tier.COMPLEX), "the mode in the settings file")
        until(lambda: item.tooltip.startswith("Pin COMPLEX"), "the tool tip")
        until(lambda: checked_mode(item).startswith("Pin COMPLEX"), "the check mark")
        assert item.picture != picture, "the icon still shows the old mode"

        upstream.play(say("hello"))
        reply = program.ask()
        assert reply.status == 200, reply.body
        assert upstream.chats[-1].json["model"] == "model-complex"
        until(lambda: item.menu()[1].label.startswith("COMPLEX → model-complex, "), "the last route in the menu")

        item.press("Mode", "Direct")
        until(lambda: item.tooltip.startswith("Direct"), "Direct mode")
        upstream.play(say("hello"))
        program.ask()
        assert upstream.chats[-1].json["model"] == "model-direct"


def test_mode_and_failover_are_told_once(program: Program, desk: Desk, upstream: Upstream) -> None:
    with TrayHost(desk.bus) as host, icon_in(host) as item:
        until(lambda: item.tooltip.startswith("Auto tiers"), "the icon")
        item.press("Mode", "Pin SIMPLE")
        until(lambda: item.tooltip.startswith("Pin SIMPLE"), "the mode")
        for _ in range(2):
            upstream.play(Refuse(404, "no such model"), say("hello"))
            assert program.ask().status == 200
        assert until(lambda: host.notes, "the mode's notification")[0].title == "Mode: Pin SIMPLE"
        note = until(lambda: host.notes[1] if len(host.notes) > 1 else None, "the failover's notification")
        assert "model-medium serves instead of" in note.title
        assert "model-simple" in note.title
        until(lambda: "→ model-medium, " in item.menu()[1].label, "the last route")
        assert len(host.notes) == 2


def test_icon_comes_back_with_the_tray(program: Program, desk: Desk) -> None:
    with tray_of(desk) as item:
        until(lambda: item.tooltip.startswith("Auto tiers"), "the first icon")
    with tray_of(desk) as item:
        assert item.menu()[0].label.startswith("Auto tiers")
        item.press("Quit")
        assert program.process.wait(30) == 0


@pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs xdotool")
def test_second_start_brings_the_window_up(program: Program, desk: Desk) -> None:
    with tray_of(desk) as item:
        until(lambda: item.tooltip.startswith("Auto tiers"), "the icon")
        assert program.windows() == []
        second = program.start_again()
        assert second.returncode == 0, second.stderr
        until(program.windows, "the window")
        assert program.process.poll() is None


@pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs xdotool")
def test_without_a_tray_the_window_shows(program: Program, desk: Desk) -> None:
    """Else nobody could reach the program."""
    until(program.windows, "the window", 60)
    assert not program.settings.desktop.shows_window_at_start
    with tray_of(desk) as item:
        assert item.menu(), "the icon must appear once there is a tray"
