"""Draw every page of the window in each state, light and dark, at 1× and 2×, in three sizes, into `screenshots/`.

python packaging/screenshots.py [WORD…]     only the scenes whose name holds one of these words

No screen and no network are needed. The numbers are a made-up week in a real ledger. The pictures are to be looked at: what looks
wrong is wrong.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import msgspec  # noqa: E402  the platform must be chosen before Qt is loaded
from PySide6.QtCore import QPoint  # noqa: E402
from PySide6.QtGui import QFont, QFontDatabase  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication, QPlainTextEdit  # noqa: E402

from lynkr_desktop.config.settings import Settings  # noqa: E402
from lynkr_desktop.config.settings import Theme as Choice  # noqa: E402
from lynkr_desktop.engine.api import ActivityQuery, LocalServer, Snapshot  # noqa: E402
from lynkr_desktop.engine.events import Exchange, Trouble  # noqa: E402
from lynkr_desktop.errors import ConfigError  # noqa: E402
from lynkr_desktop.startup import with_built_in_model  # noqa: E402
from lynkr_desktop.ui.garbage import GarbageCollector  # noqa: E402
from lynkr_desktop.ui.theme import Theme  # noqa: E402
from lynkr_desktop.ui.widgets.page_scroll import PageScroll  # noqa: E402
from lynkr_desktop.ui.widgets.score_band import ScoreBand  # noqa: E402
from lynkr_desktop.ui.widgets.score_strip import ScoreStrip  # noqa: E402
from lynkr_desktop.ui.widgets.twin import Twin  # noqa: E402
from tests.seed import seed_week  # noqa: E402
from tests.ui.ledger_desk import NOW_MS, LedgerDesk, an_exchange  # noqa: E402
from tests.ui.stage import Stage, stage_of  # noqa: E402

SIZES: Final = ((1280, 800), (1100, 720), (800, 560))
FONT: Final = "Inter"  # drawn with it where it is installed, for pictures like those of a desktop; else with the system's


@dataclass(frozen=True)
class Scene:
    """One state of one page: how the desk is before the window is made, and what happens in it then."""

    name: str
    page: str
    set_up: Callable[[LedgerDesk], None] = lambda _: None
    act: Callable[[Stage], None] = lambda _: None
    is_seeded: bool = True


def _without_accounts(desk: LedgerDesk) -> None:
    desk.settings = Settings()


def _failing(desk: LedgerDesk) -> None:
    desk.fails_with = ConfigError("The ledger cannot be read.", "The file is damaged; it was kept aside as ledger.broken.")


def _in_trouble(desk: LedgerDesk) -> None:
    desk.health = {"openai": ("failing", "Refused the key"), "openrouter": ("slow", ""), "lab": ("no_key", "")}
    trouble = Trouble("ledger", "Requests are not kept.", "The disk is full: free some space, and keeping goes on.")
    desk.base = msgspec.structs.replace(desk.base, troubles=(trouble,))


def _stopped(desk: LedgerDesk) -> None:
    desk.base = Snapshot(note="Port 8081 is taken by another program. Choose another one in the settings.")


def _held(desk: LedgerDesk) -> None:
    desk.holds = True


def _explain(stage: Stage, fits: Callable[[Exchange], bool]) -> None:
    found: list[Exchange] = []

    async def seek() -> None:
        found.extend(await stage.desk.activity(ActivityQuery(limit=3000)))

    stage.desk.spawn(seek(), "seek")
    stage.activity.open_exchange(next(exchange.id for exchange in found if fits(exchange)))


def _hover_strip(stage: Stage) -> None:
    (strip,) = stage.overview.findChildren(ScoreStrip)
    point = strip.position_of(strip.exchanges[-4])
    QTest.mouseMove(strip, QPoint(round(point.x()), round(point.y())))


def _as_tables(stage: Stage) -> None:
    for twin in stage.overview.findChildren(Twin):
        twin.button.click()


def _with_servers(desk: LedgerDesk) -> None:
    desk.found = (LocalServer("ollama", "Ollama", "http://127.0.0.1:11434", ("llama3.2:3b", "qwen2.5-coder:7b")),)


def _try_it(stage: Stage) -> None:
    box = stage.window.findChildren(QPlainTextEdit)[0]
    box.setPlainText("why does the worker hang when two jobs finish at the same time? see queue.py and lock.py")
    QTest.qWait(600)


def _move_boundary(stage: Stage) -> None:
    stage.window.findChildren(ScoreBand)[0].handles[1].setValue(62)
    QTest.qWait(600)


def _wait(_: Stage) -> None:
    QTest.qWait(200)


def _first_start(desk: LedgerDesk) -> None:
    _with_servers(desk)
    desk.settings = with_built_in_model(Settings())


def _first_request(stage: Stage) -> None:
    stage.welcome.show_step(3)
    stage.desk.finish(an_exchange(1))


def _import_env(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ".env"
        file.write_text(
            "MODEL_PROVIDER=openrouter\nOPENROUTER_API_KEY=sk-or-v1-0123456789abcdef\nTIER_SIMPLE=ollama:llama3.2:3b\n"
        )
        stage.settings.transfer.read_env(str(file))
    QTest.qWait(50)
    if scroll := stage.settings.findChild(PageScroll):
        scroll.ensureWidgetVisible(stage.settings.transfer)
    stage.settings.endpoint.renew.click()
    QTest.qWait(100)


def _scroll_down(stage: Stage) -> None:
    if scroll := stage.settings.findChild(PageScroll):
        scroll.verticalScrollBar().setValue(scroll.verticalScrollBar().maximum())


SCENES: Final = (
    Scene("overview", "overview", act=_hover_strip),
    Scene("overview-tables", "overview", act=_as_tables),
    Scene("overview-trouble", "overview", _in_trouble),
    Scene("overview-stopped", "overview", _stopped, is_seeded=False),
    Scene("overview-first", "overview", is_seeded=False),
    Scene("overview-empty", "overview", _without_accounts, is_seeded=False),
    Scene("overview-loading", "overview", _held, _wait),
    Scene("overview-error", "overview", _failing),
    Scene("activity", "activity", act=lambda stage: _explain(stage, lambda item: item.tier == "COMPLEX" and not item.error)),
    Scene(
        "activity-failover", "activity", act=lambda stage: _explain(stage, lambda item: len(item.attempts) > 1 and not item.error)
    ),
    Scene("activity-failed", "activity", act=lambda stage: _explain(stage, lambda item: bool(item.error))),
    Scene("activity-none-chosen", "activity"),
    Scene("activity-empty", "activity", is_seeded=False),
    Scene("activity-loading", "activity", _held, _wait),
    Scene("activity-error", "activity", _failing),
    Scene("tiers", "tiers", act=_try_it),
    Scene("tiers-changed", "tiers", act=_move_boundary),
    Scene("tiers-empty", "tiers", _without_accounts, is_seeded=False),
    Scene("providers", "providers", _in_trouble),
    Scene("providers-found", "providers", _with_servers, is_seeded=False),
    Scene("providers-empty", "providers", _without_accounts, is_seeded=False),
    Scene("clients", "clients"),
    Scene("clients-waiting", "clients", act=lambda stage: stage.clients.choose("codex"), is_seeded=False),
    Scene("clients-stopped", "clients", _stopped, is_seeded=False),
    Scene("welcome", "welcome", _first_start, is_seeded=False),
    Scene("welcome-provider", "welcome", _first_start, lambda stage: stage.welcome.show_step(1), is_seeded=False),
    Scene("welcome-tiers", "welcome", act=lambda stage: stage.welcome.show_step(2), is_seeded=False),
    Scene("welcome-program", "welcome", _first_start, lambda stage: stage.welcome.show_step(3), is_seeded=False),
    Scene("welcome-arrived", "welcome", act=_first_request, is_seeded=False),
    Scene("palette", "overview", act=lambda stage: stage.window.palette_wanted.emit()),
    Scene("settings", "settings"),
    Scene("settings-import", "settings", act=_import_env),
    Scene("settings-below", "settings", act=_scroll_down),
)


def draw(scene: Scene, theme: Theme, desk: LedgerDesk, size: tuple[int, int], file: Path) -> None:
    """Set a scene up, let it happen, and keep its picture."""
    scene.set_up(desk)
    choice = Choice.DARK if theme.palette.is_dark else Choice.LIGHT
    desk.settings = replace(desk.settings, desktop=replace(desk.settings.desktop, theme=choice))  # the Settings page uses it
    stage = stage_of(theme, desk, size)
    stage.window.show_page(scene.page)
    stage.window.show()
    QTest.qWait(20)
    scene.act(stage)
    QTest.qWait(20)
    stage.window.grab().save(str(file))
    desk.run_held()
    stage.window.close()
    stage.window.deleteLater()


def draw_all(words: list[str]) -> None:
    """Draw all scenes at this process's scale."""
    scale = os.environ["QT_SCALE_FACTOR"]
    application = QApplication([])
    theme = Theme(application, Choice.LIGHT)
    collector = GarbageCollector(application)  # else a worker thread may end what belongs to the window
    if FONT in QFontDatabase.families():
        font = QFont(application.font())
        font.setFamily(FONT)
        application.setFont(font)
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        seeded = LedgerDesk(Path(place) / "week.sqlite")
        seed_week(seeded.ledger, NOW_MS)
        seeded.close()
        for scene in SCENES:
            if words and not any(word in scene.name for word in words):
                continue
            for choice in (Choice.LIGHT, Choice.DARK):
                theme.choose(choice)
                for width, height in SIZES:
                    desk = LedgerDesk(Path(place) / ("week.sqlite" if scene.is_seeded else "none.sqlite"))
                    draw(scene, theme, desk, (width, height), folder / f"{scene.name}-{choice}-{width}@{scale}x.png")
                    desk.close()
    collector.close()


def main() -> None:
    """Draw at 1× and at 2×, each in a process of its own: Qt knows one scale for its life."""
    if "QT_SCALE_FACTOR" in os.environ:
        draw_all(sys.argv[1:])
        return
    for scale in ("1", "2"):
        command = [sys.executable, __file__, *sys.argv[1:]]
        subprocess.run(command, env={**os.environ, "QT_SCALE_FACTOR": scale}, check=True)


if __name__ == "__main__":
    main()
