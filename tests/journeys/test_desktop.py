"""The program as its user has it: a real panel with its tray, a real keychain, a real mouse; no variable tells it anything."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from lynkr_desktop.config.file import load, save
from lynkr_desktop.config.settings import (
    Account,
    AccountKey,
    Desktop,
    EngineLoop,
    Mode,
    ModeKind,
    Routing,
    Settings,
    Target,
    Tier,
    TierTargets,
)
from tests.fakes.caller import Caller
from tests.fakes.program import ROOT, canary, free_port
from tests.fakes.script import say
from tests.fakes.upstream import OPENAI, Upstream
from tests.rig.desk import Desk, missing_programs, private_desk, until

jeepney = pytest.importorskip("jeepney")

from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]  # noqa: E402  only where it is installed

from tests.rig.sni import TrayItem  # noqa: E402

_NEEDED: Final = (
    *missing_programs(has_panel=True),
    *(name for name in ("gnome-keyring-daemon", "xdotool", "import") if shutil.which(name) is None),
)
pytestmark = [pytest.mark.journey, pytest.mark.skipif(bool(_NEEDED), reason=f"needs {', '.join(_NEEDED)}")]

ACCOUNT: Final = "openai"
_PASSWORD: Final = b"for-tests-only"  # no newline: it would become a part of it
_KEEP: Final = """
import asyncio, os
from lynkr_desktop.config.secrets import KeychainSecrets, Secret
store = KeychainSecrets()
asyncio.run(store.set("openai", Secret(os.environ["KEY"])))
assert store.state == "ready", store.detail
"""
_TOKEN: Final = [sys.executable, "-m", "lynkr_desktop", "--token"]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream(OPENAI, canary("key")).start()
    yield server
    server.stop()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desktop with a panel and an unlocked keychain."""
    folder = tmp_path / "desk"
    folder.mkdir()
    with private_desk(folder, has_panel=True) as desk, (folder / "keyring.log").open("wb") as log:
        keyring = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock"],
            env=dict(desk.environment),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        assert keyring.stdin is not None
        keyring.stdin.write(_PASSWORD)
        keyring.stdin.close()
        try:
            yield desk
        finally:
            keyring.terminate()
            keyring.wait(10)


@pytest.mark.parametrize("loop", list(EngineLoop))
def test_a_click_in_the_tray_routes_the_next_request(desk: Desk, upstream: Upstream, tmp_path: Path, loop: EngineLoop) -> None:
    data, port = tmp_path / "lynkr", free_port()
    environment = dict(desk.environment) | {"LYNKR_DATA_DIR": str(data), "PORT": str(port), "KEY": upstream.key}
    data.mkdir()
    save(data / "settings.json", settings_for(upstream, loop))
    subprocess.run([sys.executable, "-c", _KEEP], cwd=ROOT, env=environment, check=True, timeout=60)
    del environment["KEY"]
    with running(environment, tmp_path / "program.log"):
        click_on_the_icon(desk)
        choose(desk, "Mode", "Pin COMPLEX")
        until(lambda: load(data / "settings.json").settings.routing.mode == Mode(ModeKind.PIN, Tier.COMPLEX), "the mode")
        token = subprocess.run(
            _TOKEN, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout.strip()
        upstream.play(say("hello"))
        body = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}
        reply = Caller(f"http://127.0.0.1:{port}", token).post("/v1/chat/completions", body)
    assert reply.status == 200, reply.body
    assert reply.headers["x-lynkr-tier"] == "COMPLEX"
    assert upstream.chats[-1].json["model"] == "model-complex"
    assert upstream.chats[-1].headers["authorization"] == f"Bearer {upstream.key}"
    assert token.startswith("lynkr-")
    for secret in (token, upstream.key):
        assert files_with(tmp_path, secret) == []


def settings_for(upstream: Upstream, loop: EngineLoop) -> Settings:
    account = Account(ACCOUNT, ACCOUNT, base_url=upstream.url, model="model-direct", keys=(AccountKey(upstream.url),))
    tiers = TierTargets(*((Target(ACCOUNT, f"model-{tier.lower()}"),) for tier in Tier))
    desktop = replace(Desktop(), shows_window_at_start=False, engine_loop=loop)
    return Settings(accounts=(account,), routing=Routing(tiers=tiers), desktop=desktop)


@contextlib.contextmanager
def running(environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "lynkr_desktop"], cwd=ROOT, env=environment, stdout=errors, stderr=errors
        )
        try:
            yield
        finally:
            process.terminate()
            code = process.wait(30)
    assert code == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def click_on_the_icon(desk: Desk) -> None:
    """Right click on what the panel shows: the icon is the only thing in it."""
    x, y = until(lambda: icon_on(desk), "an icon in the panel", 60)
    hand(desk, "mousemove", str(x), str(y), "click", "3")


def icon_on(desk: Desk) -> tuple[int, int] | None:
    """The middle of the only picture in the panel."""
    shot = subprocess.run(
        ["import", "-silent", "-window", "root", "-crop", "1280x28+0+771", "-colorspace", "gray", "-depth", "8", "gray:-"],
        env=dict(desk.environment),
        capture_output=True,
        check=False,
    ).stdout
    if len(shot) != 1280 * 28:
        return None
    ground = shot[14 * 1280 + 1200]
    columns = [x for x in range(20, 1260) if any(abs(shot[y * 1280 + x] - ground) > 60 for y in range(4, 24))]
    return ((columns[0] + min(columns[-1], columns[0] + 24)) // 2, 785) if columns else None


def choose(desk: Desk, *labels: str) -> None:
    """Walk through the open menu with the keyboard, as its lines are known from the bus."""
    with item_of(desk) as item:
        rows = item.menu()
    for depth, label in enumerate(labels):
        lines = [row for row in rows if not row.is_separator and row.is_enabled]
        at = next(index for index, row in enumerate(lines) if row.label.startswith(label))
        steps = at + 1 if depth == 0 else at
        hand(desk, *(argument for _ in range(steps) for argument in ("key", "Down")))
        rows = lines[at].children
        hand(desk, "key", "Right" if rows else "Return")


@contextlib.contextmanager
def item_of(desk: Desk) -> Iterator[TrayItem]:
    """The program's tray item on the session bus."""
    with open_dbus_connection(bus=desk.bus) as connection:
        name = until(lambda: item_name(connection), "the item on the bus")
        yield TrayItem(connection, name)


def item_name(connection: Any) -> str | None:
    """The only item that the panel knows."""
    watcher = jeepney.DBusAddress("/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher", "org.kde.StatusNotifierWatcher")
    reply = connection.send_and_get_reply(jeepney.Properties(watcher).get("RegisteredStatusNotifierItems"), timeout=5)
    items = reply.body[0][1] if reply.header.message_type is jeepney.MessageType.method_return else []
    return str(items[0]) if items else None


def hand(desk: Desk, *arguments: str) -> None:
    if arguments:
        subprocess.run(["xdotool", *arguments, "sleep", "0.4"], env=dict(desk.environment), check=True, capture_output=True)


def files_with(folder: Path, secret: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
