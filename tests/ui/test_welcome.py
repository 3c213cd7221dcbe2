"""The first start over the real engine: from nothing to the first routed request, and out again at every step."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.secrets import TOKEN_REF, Secret
from lynkr_desktop.config.settings import ModeKind, Settings
from lynkr_desktop.ui import text_clients, text_setup
from lynkr_desktop.ui.pages.welcome import FOUND, PROGRAM, PROVIDER, TIERS, WelcomePage
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.label import Label
from tests.fakes.caller import Caller
from tests.fakes.script import say
from tests.fakes.upstream import Upstream
from tests.ui.engine_room import TOKEN, EngineRoom, opened
from tests.ui.surroundings import around, premises

KEY = "sk-or-canary-0123456789"


@dataclass
class Room:
    """The page with everything behind it."""

    engine: EngineRoom
    page: WelcomePage

    def press(self, words: str) -> None:
        found = [button for button in self.page.findChildren(QPushButton) if button.text() == words and button.isVisible()]
        assert found, f"there is no button {words}"
        self.engine.do(found[0].click)

    def words(self) -> str:
        return "\n".join(label.text() for label in self.page.findChildren(Label) if label.isVisible())


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path, theme: Theme, qtbot: QtBot) -> Iterator[Room]:
    with opened(qapp, tmp_path, Settings(), {TOKEN_REF: TOKEN}) as engine:
        surroundings = around(tmp_path / "lynkr", environment={"OPENROUTER_API_KEY": KEY})
        here = premises(surroundings, engine.secrets, engine.engine, engine.host.run)
        engine.run(here.unlock())
        page = WelcomePage(theme, engine.bridge, here, find=lambda: {"curl": "/usr/bin/curl"})
        qtbot.addWidget(page)
        page.resize(1000, 700)
        engine.do(page.show)
        yield Room(engine, page)


def test_from_nothing_to_the_first_routed_request(room: Room, openai_upstream: Upstream) -> None:
    engine, page = room.engine, room.page
    engine.until(lambda: "Programs found: curl." in room.words(), "the programs")
    room.press(text_clients.NEXT)
    assert page.step == PROVIDER
    engine.do(lambda: page.form.provider._pick("openai"))
    engine.do(lambda: page.form.address.setText(openai_upstream.url))
    engine.do(lambda: page.form.key.setText(openai_upstream.key))
    engine.do(lambda: page.form.model.setText("gpt-5-mini"))
    openai_upstream.play(say("Hello from the model"))
    room.press(text_setup.TEST_AND_SAVE)
    engine.until(lambda: page.step == TIERS, "the tested provider")
    assert "Hello from the model" in room.words()
    room.press("Use OpenAI · gpt-5-mini for all tiers")
    engine.until(lambda: engine.bridge.settings.routing.tiers.are_complete, "the tiers")
    assert engine.bridge.settings.routing.mode.kind is ModeKind.AUTO
    assert "In use: Use OpenAI" in room.words()
    room.press(text_clients.NEXT)
    assert page.step == PROGRAM
    engine.until(lambda: page.card.blocks, "what to paste")
    page.card.blocks[0].copy.click()
    assert TOKEN in QGuiApplication.clipboard().text()
    openai_upstream.play(say("hi"))
    body = {"model": "lynkr-auto", "messages": [{"role": "user", "content": "hi"}]}
    Caller(engine.engine.url, TOKEN).post("/v1/chat/completions", body, {"user-agent": "curl/8"})
    engine.until(lambda: "The first request has arrived: Curl → gpt-5-mini (SIMPLE)." in room.words(), "the first request")
    finished = QSignalSpy(page.finished)
    room.press(text_clients.FINISH)
    assert finished.count() == 1


def test_a_key_of_the_environment_is_named_and_used_only_when_asked(room: Room) -> None:
    assert "OPENROUTER_API_KEY is set: a key of OpenRouter. " in room.words()
    assert KEY not in room.words()
    assert room.engine.saved == []
    room.press(text_clients.USE)
    room.engine.until(lambda: room.engine.bridge.key_hint("openrouter"), "the key")
    account = room.engine.bridge.settings.account("openrouter")
    assert account is not None
    assert account.keys[0].origin == "https://openrouter.ai"
    assert room.engine.run(room.engine.secrets.get("openrouter")) == Secret(KEY)
    direct = room.engine.bridge.settings.routing.direct
    assert direct is not None
    assert direct.account == "openrouter"


def test_every_step_can_be_skipped_and_taken_back(room: Room) -> None:
    for step, button in ((FOUND, text_clients.NEXT), (PROVIDER, text_clients.SKIP_STEP), (TIERS, text_clients.NEXT)):
        assert room.page.step == step
        room.press(button)
    assert room.page.step == PROGRAM
    room.press(text_clients.BACK)
    assert room.page.step == TIERS
    finished = QSignalSpy(room.page.finished)
    room.press(text_clients.SKIP_ALL)
    assert finished.count() == 1
    assert room.engine.saved == []


def test_escape_in_the_form_goes_on(room: Room) -> None:
    room.press(text_clients.NEXT)
    room.engine.do(lambda: QTest.keyClick(room.page.form, Qt.Key.Key_Escape))
    assert room.page.step == TIERS
