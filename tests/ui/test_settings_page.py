"""The Settings page over the real engine: each change is saved and used at once, refusals are said, no secret is shown."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.secrets import SERVICE, TOKEN_REF, USER, KeychainSecrets, Secret
from lynkr_desktop.config.settings import Account, EngineLoop, Settings, Tier
from lynkr_desktop.config.settings import Theme as Colours
from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui import text_settings
from lynkr_desktop.ui.pages.settings import SettingsPage
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.label import Label
from lynkr_desktop.ui.widgets.setting_row import ValueField
from tests.config.test_secrets import Keychain
from tests.fakes.caller import Caller
from tests.ui.engine_room import TOKEN, EngineRoom, opened
from tests.ui.ledger_desk import an_exchange
from tests.ui.surroundings import Switch, around, premises

KEY = "sk-canary-0123456789abcdef"


@dataclass
class Room:
    """The page with everything behind it."""

    engine: EngineRoom
    page: SettingsPage
    premises: Premises
    switch: Switch
    folder: Path

    def type_into(self, field: ValueField, value: str) -> None:
        field.setFocus()
        field.selectAll()
        self.engine.do(lambda: QTest.keyClicks(field, value))
        self.engine.do(lambda: QTest.keyClick(field, Qt.Key.Key_Return))

    def words(self) -> str:
        labels = [label.text() for label in self.page.findChildren(Label) if label.isVisible()]
        return "\n".join(labels + [line.text() for line in self.page.findChildren(QLineEdit)])


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path, theme: Theme, qtbot: QtBot) -> Iterator[Room]:
    with opened(qapp, tmp_path, Settings(), {TOKEN_REF: TOKEN}) as engine:
        switch = Switch()
        here = premises(around(tmp_path / "lynkr", switch), engine.secrets, engine.engine, engine.host.run)
        engine.run(here.unlock())
        page = SettingsPage(theme, engine.bridge, here)
        qtbot.addWidget(page)
        page.resize(1100, 800)
        engine.do(page.show)
        yield Room(engine, page, here, switch, tmp_path)


def test_colours_change_at_once_and_are_saved(room: Room, theme: Theme) -> None:
    assert not theme.palette.is_dark
    room.engine.do(lambda: room.page.general.theme._pick("dark"))
    room.engine.until(lambda: theme.palette.is_dark, "the dark colours")
    assert room.engine.saved[-1].desktop.theme is Colours.DARK


def test_a_refused_change_is_said_and_shown_as_it_is(room: Room) -> None:
    room.engine.refuses = ConfigError("The settings could not be saved.", "The disk is full.")
    box = room.page.general.window_row.box
    room.engine.do(box.click)
    room.engine.until(lambda: "The disk is full." in room.words(), "the refusal")
    assert box.isChecked()


def test_start_at_login_is_the_systems_own_switch(room: Room) -> None:
    box = room.page.general.login_row.box
    room.engine.until(box.isEnabled, "the switch")
    assert not box.isChecked(), "it must be off by default"
    room.engine.do(box.click)
    room.engine.until(lambda: room.switch.is_turned_on, "the system's switch")
    room.switch.is_turned_on = False
    room.engine.do(room.page.hide)
    room.engine.do(room.page.show)
    room.engine.until(lambda: not box.isChecked(), "what the user did elsewhere")
    room.switch.refuses = PermissionError(13, "Permission denied")
    room.engine.do(box.click)
    room.engine.until(lambda: "Permission denied" in room.words(), "the reason")
    assert not box.isChecked()


def test_port_is_checked_and_its_owner_named(room: Room) -> None:
    field = room.page.endpoint.port
    room.type_into(field, "70000")
    assert text_settings.NOT_A_PORT in room.words()
    assert room.engine.saved == []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        room.type_into(field, str(port))
        room.engine.until(lambda: f"Port {port} is used by" in room.words(), "whose port it is")
    assert room.engine.saved[-1].endpoint.port == port


def test_escape_takes_typing_back(room: Room) -> None:
    field = room.page.endpoint.port
    before = field.text()
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "12")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == before
    assert room.engine.saved == []


def test_token_is_shown_only_when_asked_and_copied_whole(room: Room) -> None:
    assert TOKEN not in room.words()
    card = room.page.endpoint
    room.engine.do(card.show_token.click)
    assert TOKEN in room.words()
    assert (card._hiding.isActive(), card._hiding.interval()) == (True, 10_000)
    card._hiding.timeout.emit()
    assert TOKEN not in room.words()
    card.copy_token.click()
    assert QGuiApplication.clipboard().text() == TOKEN


def test_renewed_token_opens_and_the_old_one_does_not(room: Room) -> None:
    card = room.page.endpoint
    room.engine.do(card.renew.click)
    assert room.premises.token == Secret(TOKEN), "one press must not be enough"
    assert "given the new one" in room.words()
    room.engine.do(card.renew.click)
    room.engine.until(lambda: text_settings.RENEWED in room.words(), "the new token")
    new = room.premises.token.reveal()
    url = room.engine.engine.url
    assert Caller(url, TOKEN).get("/v1/models").status == 401
    assert Caller(url, new).get("/v1/models").status == 200
    kept = room.engine.run(room.engine.secrets.get(TOKEN_REF))
    assert kept == Secret(new)


def test_a_keychain_that_is_unlocked_later_gives_the_token_that_programs_know(
    qapp: QApplication, tmp_path: Path, theme: Theme, qtbot: QtBot
) -> None:
    keychain = Keychain()
    keychain.entries[SERVICE, USER] = json.dumps({"keys": {TOKEN_REF: TOKEN}})
    keychain.refusal = KeyringLocked()
    secrets = KeychainSecrets(backend=lambda: keychain)
    with opened(qapp, tmp_path, Settings()) as engine:
        here = premises(around(tmp_path / "lynkr"), secrets, engine.engine, engine.host.run, secrets.retry)
        engine.run(here.unlock())
        assert here.token != Secret(TOKEN)
        page = SettingsPage(theme, engine.bridge, here)
        qtbot.addWidget(page)
        engine.do(page.show)
        card = page.keychain
        assert "is locked" in card._detail.text()
        engine.do(card.retry.click)
        engine.until(card.retry.isEnabled, "the keychain's answer")
        assert card.retry.isVisible(), "it is locked still"
        keychain.refusal = None
        engine.do(card.retry.click)
        engine.until(lambda: not card.retry.isVisible(), "the unlocked keychain")
        assert here.token == Secret(TOKEN)
        assert Caller(engine.engine.url, TOKEN).get("/v1/models").status == 200


def test_a_port_that_the_environment_gives_is_left_to_it(qapp: QApplication, tmp_path: Path, theme: Theme, qtbot: QtBot) -> None:
    with opened(qapp, tmp_path, Settings()) as engine:
        given = around(tmp_path / "lynkr", is_port_given=True)
        page = SettingsPage(theme, engine.bridge, premises(given, engine.secrets, engine.engine, engine.host.run))
        qtbot.addWidget(page)
        engine.do(page.show)
        assert not page.endpoint.port.isEnabled()
        assert text_settings.PORT_GIVEN in [label.text() for label in page.findChildren(Label)]


def test_env_file_is_shown_before_it_is_used(room: Room) -> None:
    file = room.folder / ".env"
    file.write_text(f"OPENAI_API_KEY={KEY}\nMODEL_PROVIDER=openai\nTIER_SIMPLE=openai:gpt-5-mini\n")
    room.engine.do(lambda: room.page.transfer.read_env(str(file)))
    room.engine.until(room.page.transfer.apply.isVisible, "the list")
    shown = room.words()
    assert "New provider openai" in shown
    assert "SIMPLE: openai:gpt-5-mini" in shown
    assert "ends …cdef" in shown
    assert KEY not in shown
    assert room.engine.saved == [], "nothing may change before it is applied"
    room.engine.do(room.page.transfer.apply.click)
    room.engine.until(lambda: text_settings.APPLIED in room.words(), "the import")
    settings = room.engine.bridge.settings
    assert [account.id for account in settings.accounts] == ["openai"]
    assert settings.routing.tiers.of(Tier.SIMPLE)[0].model == "gpt-5-mini"
    assert room.engine.run(room.engine.secrets.get("openai")) == Secret(KEY)


def test_broken_files_change_nothing(room: Room) -> None:
    file = room.folder / "broken"
    file.write_text("PORT=seven\n")
    room.engine.do(lambda: room.page.transfer.read_env(str(file)))
    room.engine.until(lambda: "PORT is not a port." in room.words(), "what is wrong")
    room.engine.do(lambda: room.page.transfer.read_settings(str(file)))
    room.engine.until(lambda: "broken is not JSON." in room.words(), "what is wrong")
    assert not room.page.transfer.apply.isVisible()
    assert room.engine.saved == []


def test_exported_settings_hold_no_secret_and_come_back(room: Room) -> None:
    changed = Settings(accounts=(Account("lab", "openai-compatible", base_url="http://127.0.0.1:9", model="m"),))
    room.engine.run(room.engine.bridge.change(changed))
    room.engine.run(room.engine.bridge.set_key("lab", KEY))
    file = room.folder / "export.json"
    room.engine.do(lambda: room.page.transfer.write_settings(str(file)))
    room.engine.until(lambda: str(file) in room.words(), "the file")
    content = file.read_text()
    assert KEY not in content
    assert TOKEN not in content
    assert json.loads(content)["accounts"][0]["id"] == "lab"
    room.engine.run(room.engine.bridge.change(Settings()))
    room.engine.do(lambda: room.page.transfer.read_settings(str(file)))
    room.engine.until(room.page.transfer.apply.isVisible, "the list")
    assert "New provider lab" in room.words()
    room.engine.do(room.page.transfer.apply.click)
    room.engine.until(lambda: room.engine.bridge.settings == changed, "the imported settings")


def test_requests_are_deleted_after_a_second_press(room: Room) -> None:
    ledger = room.engine.engine._ledger
    ledger.record(an_exchange(1))
    assert ledger.flush()
    button = room.page.privacy.forget
    room.engine.do(button.click)
    assert len(room.engine.run(room.engine.bridge.activity(ActivityQuery()))) == 1
    room.engine.do(button.click)
    room.engine.until(lambda: text_settings.FORGOTTEN in room.words(), "the end of the requests")
    assert room.engine.run(room.engine.bridge.activity(ActivityQuery())) == ()
    files = [path.read_bytes() for path in room.folder.glob("ledger.db*")]
    assert files
    assert not any(b"Several files and steps" in content for content in files), "deleted rows must not stay readable"
    ledger.record(an_exchange(2))
    assert ledger.flush()
    assert len(room.engine.run(room.engine.bridge.activity(ActivityQuery()))) == 1, "the ledger must go on"


def test_limits_and_days_are_checked(room: Room) -> None:
    field, _ = room.page.advanced.limits["idle_seconds"]
    room.type_into(field, "0")
    assert text_settings.NOT_SECONDS in room.words()
    room.type_into(field, "42.5")
    room.engine.until(lambda: room.engine.bridge.settings.limits.idle_seconds == 42.5, "the limit")
    room.type_into(room.page.privacy.days, "x")
    assert text_settings.NOT_DAYS in room.words()
    room.type_into(room.page.privacy.days, "7")
    room.engine.until(lambda: room.engine.bridge.settings.ledger.keep_days == 7, "the days")
    room.type_into(room.page.privacy.megabytes, "0")
    assert text_settings.NOT_MEGABYTES in room.words()
    room.type_into(room.page.privacy.megabytes, "50")
    room.engine.until(lambda: room.engine.bridge.settings.ledger.most_megabytes == 50, "the size")
    room.engine.do(lambda: room.page.advanced.loop._pick("qt"))
    room.engine.until(lambda: room.engine.bridge.settings.desktop.engine_loop is EngineLoop.QT, "the loop")
    assert text_settings.NEXT_START in room.words()


def test_diagnostics_hold_no_secret(room: Room) -> None:
    room.engine.run(room.engine.bridge.change(Settings(accounts=(Account("openai", "openai"),))))
    room.engine.run(room.engine.bridge.set_key("openai", KEY))
    room.engine.do(room.page.about.copy.click)
    copied = QGuiApplication.clipboard().text()
    assert "Lynkr Desktop" in copied
    assert '"openai"' in copied
    assert KEY not in copied
    assert TOKEN not in copied


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(room: Room) -> None:
    for control in [*room.page.findChildren(QAbstractButton), *room.page.findChildren(QLineEdit)]:
        name = control.accessibleName() or (control.text() if isinstance(control, QAbstractButton) else "")
        assert name, control
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name


def test_licences_are_read_and_left_again(qapp: QApplication, tmp_path: Path, theme: Theme, qtbot: QtBot) -> None:
    notice = tmp_path / "NOTICE.txt"
    notice.write_text("Qt is used under the LGPL.")
    with opened(qapp, tmp_path, Settings()) as engine:
        page = SettingsPage(theme, engine.bridge, premises(around(tmp_path / "lynkr", notice_file=notice), engine.secrets))
        qtbot.addWidget(page)
        engine.do(page.show)
        engine.do(page.about.licences.click)
        engine.until(lambda: "LGPL" in page._licences.toPlainText() and page._licences.isVisible(), "the licences")
        QTest.keyClick(page, Qt.Key.Key_Escape)
        assert page.general.isVisible()
