"""Cards of the Settings page about the window, the endpoint and the keychain. Each change is one change through the desk."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QSizePolicy

from lynkr_desktop.config.secrets import KeychainState
from lynkr_desktop.config.settings import Settings
from lynkr_desktop.config.settings import Theme as Colours
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text
from lynkr_desktop.ui import text_settings as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import LANGUAGES, say_back
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import SPACE_12, Theme
from lynkr_desktop.ui.widgets.button import Button
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.choice import Choice
from lynkr_desktop.ui.widgets.health import health_sign
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.setting_row import CheckRow, SettingRow, SureButton, ValueField

SHOWN_SECONDS: Final = 10
_HIDDEN: Final = "••••••••••••"
_CHOICE_WIDTH: Final = 190
_INDENT: Final = " "


class SettingsCard(Card):
    """What all of them share: they follow the settings, and say a refusal under the row that asked."""

    def __init__(self, title: str, desk: Desk) -> None:
        super().__init__(title)
        self.desk = desk
        self.body.setSpacing(SPACE_12)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        desk.signals.settings_changed.connect(self.show_settings)

    def show_settings(self) -> None:
        """Show what is in use."""

    def change(self, settings: Settings, row: SettingRow | CheckRow, outcome: str = "") -> None:
        """Use other settings. What came of it is said under the row."""

        def refuse(error: LynkrError) -> None:
            row.say(said(error), LabelKind.BAD)
            self.show_settings()

        Latest[None](self.desk, "change a setting", lambda _: row.say(outcome), refuse).ask(self.desk.change(settings))


class GeneralCard(SettingsCard):
    """Colours, the window at start, start at login."""

    def __init__(self, theme: Theme, desk: Desk, premises: Premises) -> None:
        super().__init__(words.GENERAL, desk)
        self._theme = theme
        self._premises = premises
        self.theme = choice(theme, words.THEME)
        self.theme.offer([(key.value, title) for key, title in words.THEMES])
        self.theme.chosen.connect(self._choose_theme)
        self._theme_row = SettingRow(words.THEME, self.theme)
        self.language = choice(theme, words.LANGUAGE)
        self.language.offer([("", words.SYSTEM_LANGUAGE), *((each.code, each.name) for each in LANGUAGES)])
        self.language.chosen.connect(self._choose_language)
        self._language_row = SettingRow(words.LANGUAGE, self.language)
        self.window_row = CheckRow(theme, words.SHOW_WINDOW, words.SHOW_WINDOW_HINT)
        self.window_row.changed.connect(self._choose_window)
        self.login_row = CheckRow(theme, words.START_AT_LOGIN, words.START_AT_LOGIN_HINT)
        self.login_row.changed.connect(self._choose_login)
        for row in (self._theme_row, self._language_row, self.window_row, self.login_row):
            self.body.addWidget(row)
        self._login = Latest[bool | None](desk, "ask about start at login", self._show_login, lambda _: None)
        self.show_settings()

    def ask_system(self) -> None:
        """Look how the system's own switch stands."""
        self._login.ask(self._premises.starts_at_login())

    def show_settings(self) -> None:
        """Show what is in use."""
        desktop = self.desk.settings.desktop
        self.theme.choose(desktop.theme.value)
        self._theme.choose(desktop.theme)
        self.language.choose(desktop.language)
        self.window_row.box.setChecked(desktop.shows_window_at_start)

    def _show_login(self, is_on: bool | None) -> None:
        self.login_row.box.setEnabled(is_on is not None)
        self.login_row.box.setChecked(bool(is_on))
        self.login_row.say(words.NO_START_AT_LOGIN if is_on is None else "")

    def _choose_theme(self, key: str) -> None:
        desktop = replace(self.desk.settings.desktop, theme=Colours(key))
        self.change(replace(self.desk.settings, desktop=desktop), self._theme_row)

    def _choose_language(self, code: str) -> None:
        desktop = replace(self.desk.settings.desktop, language=code)
        self.change(replace(self.desk.settings, desktop=desktop), self._language_row, words.NEXT_START)

    def _choose_window(self, is_shown: bool) -> None:
        desktop = replace(self.desk.settings.desktop, shows_window_at_start=is_shown)
        self.change(replace(self.desk.settings, desktop=desktop), self.window_row)

    def _choose_login(self, is_on: bool) -> None:
        self.desk.spawn(self._turn_login(on=is_on), "turn start at login")

    async def _turn_login(self, *, on: bool) -> None:
        try:
            await self._premises.start_at_login(on=on)
        except LynkrError as error:
            self.login_row.box.setChecked(not on)
            self.login_row.say(said(error), LabelKind.BAD)
            return
        self._show_login(await self._premises.starts_at_login())


class EndpointCard(SettingsCard):
    """Address, port and token. The token is shown for ten seconds at most."""

    def __init__(self, desk: Desk, premises: Premises) -> None:
        super().__init__(words.ENDPOINT, desk)
        self._premises = premises
        self._address = Label()
        self._address.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._copy_address = Button(words.COPY)
        self._copy_address.setAccessibleName(f"{words.COPY}: {words.ADDRESS}")
        self._copy_address.clicked.connect(self._copy_url)
        self.port = ValueField(words.PORT, 76)
        self.port.entered.connect(self._enter_port)
        self.port_row = SettingRow(words.PORT, self.port)
        self.token = QLineEdit()
        self.token.setReadOnly(True)
        self.token.setAccessibleName(words.TOKEN)
        self.show_token = Button(words.SHOW)
        self.show_token.setAccessibleName(f"{words.SHOW}: {words.TOKEN}")
        self.show_token.clicked.connect(self._turn_token)
        self.copy_token = Button(words.COPY)
        self.copy_token.setAccessibleName(f"{words.COPY}: {words.TOKEN}")
        self.copy_token.clicked.connect(self._copy_the_token)
        self.renew = SureButton(words.RENEW, words.RENEW_SURE)
        self.renew.on_asked = self._asked_to_renew
        self.renew.confirmed.connect(lambda: desk.spawn(self._renew(), "renew the token"))
        self.token_row = SettingRow(_INDENT, self.show_token, self.copy_token, self.renew, hint=words.TOKEN_HINT)
        self._hiding = QTimer(self, singleShot=True, interval=SHOWN_SECONDS * 1000)
        self._hiding.timeout.connect(self._hide_token)
        self.body.addWidget(SettingRow(words.ADDRESS, self._address, self._copy_address))
        self.body.addWidget(self.port_row)
        self.body.addWidget(SettingRow(words.TOKEN, self.token, fills=True))
        self.body.addWidget(self.token_row)
        desk.signals.snapshot_changed.connect(self.show_settings)
        premises.token_changed.connect(self._hide_token)
        self.show_settings()
        self._hide_token()

    def show_settings(self) -> None:
        """Show what is in use, and where that is not what serves."""
        url, port = self.desk.snapshot().url, self.desk.settings.endpoint.port
        self._address.setText(url or words.NO_TOKEN)
        self._copy_address.setEnabled(bool(url))
        self.port.show_value(str(port))
        moved = words.port_moved(url, port) if url and not url.endswith(f":{port}") else ""
        is_given = self._premises.around.is_port_given
        self.port.setEnabled(not is_given)
        self.port_row.set_hint(moved or (words.PORT_GIVEN if is_given else ""))

    def _copy_url(self) -> None:
        QGuiApplication.clipboard().setText(self.desk.snapshot().url)

    # The port

    def _enter_port(self, typed: str) -> None:
        if not typed.isascii() or not typed.isdigit() or not 1 <= int(typed[:6]) <= 65535:
            self.port_row.say(words.NOT_A_PORT, LabelKind.BAD)
            return
        self.desk.spawn(self._use_port(int(typed)), "change the port")

    async def _use_port(self, port: int) -> None:
        serving = self.desk.snapshot().url.endswith(f":{port}")
        owner = "" if serving else await self._premises.owner_of_port(port)
        outcome = words.port_taken(port, owner) if owner else "" if serving else words.NEXT_START
        settings = self.desk.settings
        try:
            await self.desk.change(replace(settings, endpoint=replace(settings.endpoint, port=port)))
        except LynkrError as error:
            self.port_row.say(said(error), LabelKind.BAD)
            return
        self.port_row.say(outcome, LabelKind.WARNING if owner else LabelKind.SMALL)

    # The token

    def _turn_token(self) -> None:
        if self._hiding.isActive():
            self._hide_token()
            return
        self.token.setText(self._premises.token.reveal())
        self.token.setCursorPosition(0)
        self.show_token.setText(words.HIDE)
        self._hiding.start()

    def _hide_token(self) -> None:
        self._hiding.stop()
        hint = self._premises.token_hint()
        self.token.setText(f"{_HIDDEN}{hint}" if hint else words.NO_TOKEN)
        self.token.setEnabled(bool(hint))
        self.show_token.setText(words.SHOW)
        for button in (self.show_token, self.copy_token):
            button.setEnabled(bool(hint))
        self.renew.setEnabled(bool(hint) and not self._premises.is_token_given)
        self.token_row.set_hint(words.TOKEN_GIVEN if self._premises.is_token_given else words.TOKEN_HINT)

    def _copy_the_token(self) -> None:
        QGuiApplication.clipboard().setText(self._premises.token.reveal())

    def _asked_to_renew(self, is_asking: bool) -> None:
        self.token_row.say(words.RENEW_HINT if is_asking else "", LabelKind.WARNING)

    async def _renew(self) -> None:
        try:
            await self._premises.renew_token()
        except LynkrError as error:
            self.token_row.say(said(error), LabelKind.BAD)
            return
        self.token_row.say(words.RENEWED, LabelKind.GOOD)


class KeychainCard(SettingsCard):
    """How the keychain does, and another try where it refused."""

    def __init__(self, theme: Theme, desk: Desk, premises: Premises) -> None:
        super().__init__(words.KEYCHAIN, desk)
        self._theme = theme
        self._premises = premises
        self._sign = Label()
        self._state = Label()
        self._detail = Label("", LabelKind.MUTED, wraps=True)
        self.retry = Button(words.RETRY)
        self.retry.clicked.connect(lambda: desk.spawn(self._try_again(), "ask the keychain again"))
        self.body.addWidget(SettingRow("", self._sign, self._state, self.retry))
        self.body.addWidget(self._detail)
        premises.keychain_changed.connect(self.show_settings)
        theme.changed.connect(self.show_settings)
        self.show_settings()

    def show_settings(self) -> None:
        """Show how it does now."""
        state = self._premises.keychain_state
        is_in_trouble = state in {KeychainState.LOCKED, KeychainState.MISSING}
        sign = "failing" if is_in_trouble else "healthy" if state is KeychainState.READY else "unknown"
        self._sign.setPixmap(health_sign(self._theme.palette, sign, self.devicePixelRatioF()))
        self._state.setText(words.KEYCHAIN_STATES[state])
        self._detail.setText(say_back(self._premises.keychain_detail) or words.KEYCHAIN_READY_DETAIL)
        self.retry.setVisible(is_in_trouble)

    async def _try_again(self) -> None:
        self.retry.setEnabled(False)
        try:
            await self._premises.retry_keychain()
        finally:
            self.retry.setEnabled(True)
        self.show_settings()


def choice(theme: Theme, name: str) -> Choice:
    """A choice of the width that all settings share."""
    made = Choice(theme, name)
    made.setFixedWidth(_CHOICE_WIDTH)
    return made


def said(error: LynkrError) -> str:
    """An error as one line."""
    return text.refused(error)
