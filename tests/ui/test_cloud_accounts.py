"""Accounts of clouds in the form of the Providers page: a project and a region make the address, a pasted JSON stays whole."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Account, Settings
from lynkr_desktop.engine.providers import google_tokens
from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.pages.account_form import AccountForm
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.label import Label
from tests.fakes.vertex import PROJECT, VertexUpstream
from tests.ui.engine_room import EngineRoom, opened


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path) -> Iterator[EngineRoom]:
    with opened(qapp, tmp_path, Settings()) as room:
        yield room


@pytest.fixture
def vertex(monkeypatch: pytest.MonkeyPatch) -> Iterator[VertexUpstream]:
    monkeypatch.setattr(google_tokens, "_kept", {})
    upstream = VertexUpstream("key-id-1", ("gemini-2.5-flash",))
    upstream.start()
    yield upstream
    upstream.stop()


def form_of(room: EngineRoom, theme: Theme, qtbot: QtBot, account: Account) -> AccountForm:
    form = AccountForm(theme, room.bridge)
    qtbot.addWidget(form)
    form.resize(620, 520)
    room.do(lambda: form.add(Settings(), account=account))
    room.do(form.show)
    return form


def words(form: AccountForm) -> str:
    return "\n".join(label.text() for label in form.findChildren(Label) if label.isVisible())


def test_project_and_region_make_the_address(room: EngineRoom, theme: Theme, qtbot: QtBot) -> None:
    form = form_of(room, theme, qtbot, Account("", "vertex"))
    QTest.keyClicks(form.places["project"], "my-project")
    assert form.address.text() == "https://aiplatform.googleapis.com/v1/projects/my-project/locations/global"
    QTest.keyClicks(form.places["region"], "europe-west4")
    assert form.account().base_url == (
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4"
    )
    form.places["region"].clear()
    QTest.keyClicks(form.places["region"], "nowhere/else")
    assert "is no region of Google Vertex AI" in words(form)


def test_only_clouds_ask_for_them(room: EngineRoom, theme: Theme, qtbot: QtBot) -> None:
    form = form_of(room, theme, qtbot, Account("", "openai"))
    assert not form.places["project"].isVisible()
    form = form_of(room, theme, qtbot, Account("", "bedrock"))
    assert (form.places["region"].isVisible(), form.places["project"].isVisible()) == (True, False)
    assert form.places["region"].text() == "us-east-1"
    form = form_of(room, theme, qtbot, Account("", "codex"))
    assert not form.key.isVisible()
    assert form.address.placeholderText() == text_setup.PROGRAM_HINT
    assert form.account().base_url == ""


def test_a_pasted_service_account_is_tested_and_kept_whole(
    room: EngineRoom, theme: Theme, qtbot: QtBot, vertex: VertexUpstream
) -> None:
    form = form_of(room, theme, qtbot, Account("", "vertex", base_url=vertex.base_url))
    QApplication.clipboard().setText(vertex.credential)
    room.do(form.key.paste)
    passed: list[tuple[Account, dict[str, str]]] = []
    form.passed.connect(lambda account, keys, _: passed.append((account, keys)))
    room.do(form.submit.click)
    room.until(lambda: bool(passed), "the account")
    ((account, keys),) = passed
    assert json.loads(keys[""]) == json.loads(vertex.credential)
    assert account.base_url == vertex.base_url
    assert len(vertex.tokens) == 1


def test_a_wrong_project_is_told_in_googles_words(room: EngineRoom, theme: Theme, qtbot: QtBot, vertex: VertexUpstream) -> None:
    form = form_of(room, theme, qtbot, Account("", "vertex", base_url=vertex.base_url.replace(PROJECT, "another-project")))
    room.do(lambda: form.key.setText(vertex.credential))
    room.do(form.submit.click)
    room.until(lambda: "aiplatform.endpoints.predict" in words(form), "Google's words")
    assert "another-project" in words(form)
    assert "PRIVATE KEY" not in words(form)
