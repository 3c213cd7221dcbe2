"""The Clients page over the real engine: what is here, what to paste, and the first request as it arrives."""

import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.client_tokens import with_token
from lynkr_desktop.config.secrets import TOKEN_REF, Secret
from lynkr_desktop.config.settings import Account, Mode, ModeKind, Routing, Settings, Target
from lynkr_desktop.engine.routing.clients import CLIENTS
from lynkr_desktop.ui import text_clients
from lynkr_desktop.ui.client_guides import GUIDES, find_programs
from lynkr_desktop.ui.pages.clients import ClientsPage
from lynkr_desktop.ui.theme import Theme
from tests.fakes.caller import Caller
from tests.fakes.script import Refuse, say
from tests.fakes.upstream import OPENAI, Upstream
from tests.ui.engine_room import TOKEN, EngineRoom, opened
from tests.ui.surroundings import around, premises

LAB = "openai-compatible"
GUIDE = {guide.id: guide for guide in GUIDES}


@dataclass
class Room:
    """The page with everything behind it."""

    engine: EngineRoom
    page: ClientsPage
    upstream: Upstream

    def ask(self, agent: str) -> int:
        body = {"model": "lynkr-auto", "messages": [{"role": "user", "content": "hi"}]}
        return Caller(self.engine.engine.url, TOKEN).post("/v1/chat/completions", body, {"user-agent": agent}).status


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream(OPENAI, "").start()
    yield server
    server.stop()


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path, theme: Theme, qtbot: QtBot, upstream: Upstream) -> Iterator[Room]:
    settings = Settings(
        accounts=(Account(LAB, LAB, base_url=upstream.url, model="m-1"),),
        routing=Routing(mode=Mode(ModeKind.DIRECT), direct=Target(LAB, "m-1")),
    )
    with opened(qapp, tmp_path, settings, {TOKEN_REF: TOKEN}) as engine:
        here = premises(around(tmp_path / "lynkr"), engine.secrets, engine.engine, engine.host.run)
        engine.run(here.unlock())
        page = ClientsPage(theme, engine.bridge, here, find=lambda: {"codex": "/usr/bin/codex"})
        qtbot.addWidget(page)
        page.resize(1000, 700)
        engine.do(page.show)
        engine.until(lambda: page._found, "the programs")
        engine.until(lambda: page.card.blocks, "the endpoint's address")
        yield Room(engine, page, upstream)


def test_what_is_here_comes_first_and_is_chosen(room: Room) -> None:
    assert room.page.rows["codex"].isChecked()
    assert room.page.rows["codex"].y() < room.page.rows["claude-code"].y()
    assert "/usr/bin/codex" in room.page.card._found.text()


def test_token_is_masked_on_the_screen_and_whole_in_the_clipboard(room: Room) -> None:
    for guide in GUIDES:
        room.engine.do(lambda guide=guide: room.page.choose(guide.id))  # type: ignore[misc]
        blocks = room.page.card.blocks
        copied = ""
        for block in blocks:
            assert TOKEN not in block.code.toPlainText()
            block.copy.click()
            copied += QGuiApplication.clipboard().text()
        assert TOKEN in copied, guide.id
        assert room.engine.engine.url in copied or guide.id == "zed", guide.id
        assert "$" not in copied.replace("$env:", ""), guide.id


def test_first_request_turns_the_card_green_live(room: Room) -> None:
    card = room.page.card
    assert card.state.text() == text_clients.WAITING
    room.upstream.play(say("hello"))
    assert room.ask("codex_cli_rs/1.0") == 200
    room.engine.until(lambda: "went to m-1" in card.state.text(), "the first request")
    assert card.state.property("kind") == "good"
    assert "connected" in room.page.rows["codex"].accessibleName()
    wanted = QSignalSpy(room.page.exchange_wanted)
    room.engine.do(card._why.click)
    assert wanted.count() == 1


def test_a_failed_first_request_is_said(room: Room) -> None:
    room.upstream.expects_complaints = True
    room.upstream.play(Refuse(401, "no"))
    room.ask("codex_cli_rs/1.0")
    room.engine.until(lambda: "failed: The provider does not accept the key." in room.page.card.state.text(), "the failure")


def test_earlier_requests_are_read_from_the_ledger(room: Room, theme: Theme, qtbot: QtBot) -> None:
    room.upstream.play(say("hello"))
    room.ask("curl/8.5.0")
    assert room.engine.engine._ledger.flush()
    here = premises(around(Path(room.page.card._premises.around.places.data_dir)), room.engine.secrets)
    later = ClientsPage(theme, room.engine.bridge, here, find=dict)
    qtbot.addWidget(later)
    room.engine.do(later.show)
    room.engine.until(lambda: "connected" in later.rows["curl"].accessibleName(), "the request of before")


def test_arrow_keys_choose(room: Room) -> None:
    room.engine.do(lambda: QTest.keyClick(room.page, Qt.Key.Key_Down))
    assert room.page.rows["claude-code"].isChecked()
    room.engine.do(lambda: QTest.keyClick(room.page, Qt.Key.Key_Up))
    assert room.page.rows["codex"].isChecked()


def test_a_token_of_its_own_is_made_copied_and_revoked(room: Room) -> None:
    row, page, engine = room.page.card.token_row, room.page, room.engine
    engine.do(row.make.click)
    engine.until(lambda: engine.bridge.settings.client_tokens, "the token")
    page.card.blocks[-1].copy.click()
    token = QGuiApplication.clipboard().text().partition("LYNKR_TOKEN=")[2].split()[0]
    assert token not in repr(engine.bridge.settings)
    room.upstream.play(say("hello"), say("hello"))
    body = {"model": "lynkr-auto", "messages": [{"role": "user", "content": "hi"}]}
    caller = Caller(engine.engine.url, token)
    assert caller.post("/v1/chat/completions", body, {"user-agent": "curl/8"}).status == 200
    engine.until(lambda: "went to m-1" in page.card.state.text(), "its request, told by the token")
    engine.do(lambda: page.choose("claude-code"))
    page.card.blocks[0].copy.click()
    assert token not in QGuiApplication.clipboard().text(), "another program's lines"
    engine.do(lambda: page.choose("codex"))
    engine.do(row.revoke.click)
    assert caller.post("/v1/chat/completions", body).status == 200, "one press only asks"
    engine.do(row.revoke.click)
    engine.until(lambda: not engine.bridge.settings.client_tokens, "the revocation")
    assert caller.post("/v1/chat/completions", body).status == 401
    assert row._state.text() == text_clients.SHARED_TOKEN


def test_a_token_of_an_earlier_start_cannot_be_copied(room: Room) -> None:
    settings = with_token(room.engine.bridge.settings, "codex", Secret("lynkr-made-long-ago"), date(2026, 1, 2))
    room.engine.run(room.engine.bridge.change(settings))
    room.engine.do(lambda: None)
    assert "…-ago, since 2026-01-02" in room.page.card.token_row._state.text()
    assert not any(block.copy.isEnabled() for block in room.page.card.blocks)


def test_ids_are_those_of_the_ledger() -> None:
    assert {guide.id for guide in GUIDES} <= set(CLIENTS)


def test_snippets_are_valid_in_their_formats() -> None:
    url, token = "http://127.0.0.1:8081", "t-1"
    codex = "\n".join(step.text(url, token, is_powershell=False) for step in GUIDE["codex"].steps[:2])
    settings = tomllib.loads(codex)
    assert settings["model_provider"] == "lynkr"
    assert settings["model_providers"]["lynkr"]["base_url"] == f"{url}/v1"
    opencode = json.loads(GUIDE["opencode"].steps[0].text(url, token, is_powershell=False))
    assert opencode["provider"]["lynkr"]["options"]["baseURL"] == f"{url}/v1"
    zed = json.loads("{" + GUIDE["zed"].steps[0].text(url, token, is_powershell=False) + "}")
    assert zed["language_models"]["openai_compatible"]["Lynkr"]["api_url"] == f"{url}/v1"
    for sdk in ("openai-sdk", "anthropic-sdk"):
        compile(GUIDE[sdk].steps[0].text(url, token, is_powershell=False), sdk, "exec")


def test_terminal_lines_are_the_shells() -> None:
    step = GUIDE["claude-code"].steps[0]
    assert step.text("u", "t", is_powershell=False) == "export ANTHROPIC_BASE_URL=u\nexport ANTHROPIC_AUTH_TOKEN=t\nclaude"
    assert step.text("u", "t", is_powershell=True).startswith('$env:ANTHROPIC_BASE_URL = "u"\n')


@pytest.mark.skipif(sys.platform == "win32", reason="programs there have other names")
def test_programs_are_found_by_command_usual_place_or_folder(tmp_path: Path) -> None:
    for name in ("search/claude", ".local/bin/aider"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    (tmp_path / ".continue").mkdir()
    found = find_programs(
        tmp_path, str(tmp_path / "search"), [GUIDE[each] for each in ("claude-code", "aider", "continue", "zed")]
    )
    assert found == {
        "claude-code": str(tmp_path / "search/claude"),
        "aider": str(tmp_path / ".local/bin/aider"),
        "continue": str(tmp_path / ".continue"),
    }
