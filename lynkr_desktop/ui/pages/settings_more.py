"""Cards of the Settings page about files, privacy, limits and the program itself. Each change is one change through the desk."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QFrame, QVBoxLayout

from lynkr_desktop import __version__
from lynkr_desktop.config.secrets import TOKEN_REF, Secret
from lynkr_desktop.config.settings import EngineLoop, Settings
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text_settings as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.pages.settings_cards import SettingsCard, choice, said
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.label import ElidedLabel, Label, LabelKind
from lynkr_desktop.ui.widgets.setting_row import SettingRow, SureButton, ValueField, buttons

_FEWEST_SHOWN = 12  # letters a secret must have before its end is shown


class TransferCard(SettingsCard):
    """A `.env` or exported settings in, settings out. What would change is shown before it does."""

    def __init__(self, desk: Desk, premises: Premises) -> None:
        super().__init__(words.TRANSFER, desk)
        self._premises = premises
        self._wanted: Settings | None = None
        self._secrets: Mapping[str, Secret] = {}
        self.import_env = Button(words.IMPORT_ENV)
        self.import_settings = Button(words.IMPORT_SETTINGS)
        self.export = Button(words.EXPORT_SETTINGS)
        self.import_env.clicked.connect(lambda: self._pick(words.ENV_FILES, self.read_env))
        self.import_settings.clicked.connect(lambda: self._pick(words.JSON_FILES, self.read_settings))
        self.export.clicked.connect(self._pick_place)
        self.row = SettingRow("", hint=words.TRANSFER_HINT)
        self.plan = Label("", LabelKind.BODY, wraps=True)
        self.apply = Button(words.APPLY, ButtonKind.PRIMARY)
        self.apply.clicked.connect(lambda: desk.spawn(self._apply(), "apply an import"))
        self._cancel = Button(words.CANCEL, ButtonKind.QUIET)
        self._cancel.clicked.connect(self._clear)
        self._box = QFrame()
        self._box.setProperty("kind", "inset")
        inside = QVBoxLayout(self._box)
        inside.setContentsMargins(SPACE_12, SPACE_12, SPACE_12, SPACE_12)
        inside.setSpacing(SPACE_8)
        inside.addWidget(self.plan)
        inside.addWidget(buttons(self.apply, self._cancel))
        for widget in (buttons(self.import_env), buttons(self.import_settings, self.export), self.row, self._box):
            self.body.addWidget(widget)
        self._clear()

    def _pick(self, kinds: str, then: Callable[[str], None]) -> None:
        dialog = QFileDialog(self, "", str(Path.home()), kinds)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(then)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _pick_place(self) -> None:
        dialog = QFileDialog(self, "", str(Path.home() / words.EXPORT_NAME), words.JSON_FILES)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(self.write_settings)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def read_env(self, path: str) -> None:
        """Show what a `.env` file would change."""
        self.desk.spawn(self._read_env(Path(path)), "read a .env")

    def read_settings(self, path: str) -> None:
        """Show what exported settings would change."""
        self.desk.spawn(self._read_settings(Path(path)), "read settings")

    def write_settings(self, path: str) -> None:
        """Export the settings."""
        self.desk.spawn(self._write_settings(Path(path)), "export settings")

    async def _read_env(self, path: Path) -> None:
        self._clear()
        try:
            found = await self._premises.read_env(path, self.desk.settings)
        except LynkrError as error:
            self.row.say(said(error), LabelKind.BAD)
            return
        self._show_plan(found.settings, found.secrets, found.notices)

    async def _read_settings(self, path: Path) -> None:
        self._clear()
        try:
            found = await self._premises.read_settings(path)
        except LynkrError as error:
            self.row.say(said(error), LabelKind.BAD)
            return
        self._show_plan(found, {}, ())

    def _show_plan(self, wanted: Settings, secrets: Mapping[str, Secret], notices: tuple[str, ...]) -> None:
        masked = {ref: _masked(secret) for ref, secret in secrets.items()}
        lines = words.changes(self.desk.settings, wanted, masked)
        self._wanted, self._secrets = wanted, dict(secrets)
        listed = "\n".join([words.WOULD_CHANGE, *(f"·  {line}" for line in lines)]) if lines else words.CHANGES_NOTHING
        self.plan.setText("\n".join([listed, *notices]))
        self.apply.setEnabled(bool(lines))
        self._box.show()
        self.apply.setFocus()

    async def _apply(self) -> None:
        wanted, secrets = self._wanted, self._secrets
        if wanted is None:
            return
        try:
            await self.desk.change(wanted)
            for ref, secret in secrets.items():
                if ref == TOKEN_REF:
                    await self._premises.keep_token(secret)
                else:
                    await self.desk.set_key(ref, secret.reveal())
        except LynkrError as error:
            self.row.say(said(error), LabelKind.BAD)
            return
        self._clear()
        self.row.say(words.APPLIED, LabelKind.GOOD)

    async def _write_settings(self, path: Path) -> None:
        try:
            await self._premises.export_settings(path, self.desk.settings)
        except LynkrError as error:
            self.row.say(said(error), LabelKind.BAD)
            return
        self.row.say(words.exported(str(path)), LabelKind.GOOD)

    def _clear(self) -> None:
        self._wanted, self._secrets = None, {}
        self._box.hide()
        self.row.say("")


class PrivacyCard(SettingsCard):
    """What is kept, how long, and its end."""

    def __init__(self, desk: Desk, premises: Premises) -> None:
        super().__init__(words.PRIVACY, desk)
        self._premises = premises
        self.days = ValueField(words.KEEP_DAYS, 64)
        self.days.entered.connect(self._enter_days)
        self._days_row = SettingRow(words.KEEP_DAYS, self.days, Label(words.DAYS, LabelKind.MUTED))
        self.megabytes = ValueField(words.MOST_MEGABYTES, 64)
        self.megabytes.entered.connect(self._enter_size)
        self._size_row = SettingRow(words.MOST_MEGABYTES, self.megabytes, Label(words.MEGABYTES, LabelKind.MUTED))
        self.forget = SureButton(words.FORGET, words.FORGET_SURE)
        self.forget.on_asked = lambda is_asking: self._forget_row.say(words.FORGET_HINT if is_asking else "", LabelKind.WARNING)
        self.forget.confirmed.connect(lambda: desk.spawn(self._forget_all(), "delete all requests"))
        self._forget_row = SettingRow("", self.forget)
        for widget in (Label(words.PRIVACY_TEXT, LabelKind.MUTED, wraps=True), self._days_row, self._size_row, self._forget_row):
            self.body.addWidget(widget)
        self.show_settings()

    def show_settings(self) -> None:
        """Show what is in use."""
        self.days.show_value(str(self.desk.settings.ledger.keep_days))
        self.megabytes.show_value(str(self.desk.settings.ledger.most_megabytes))

    def _enter_days(self, typed: str) -> None:
        if not typed.isascii() or not typed.isdigit() or not 1 <= int(typed[:6]) <= 3650:
            self._days_row.say(words.NOT_DAYS, LabelKind.BAD)
            return
        settings = self.desk.settings
        self.change(replace(settings, ledger=replace(settings.ledger, keep_days=int(typed))), self._days_row)

    def _enter_size(self, typed: str) -> None:
        if not typed.isascii() or not typed.isdigit() or not 1 <= int(typed[:7]) <= 100_000:
            self._size_row.say(words.NOT_MEGABYTES, LabelKind.BAD)
            return
        settings = self.desk.settings
        self.change(replace(settings, ledger=replace(settings.ledger, most_megabytes=int(typed))), self._size_row)

    async def _forget_all(self) -> None:
        try:
            await self._premises.forget_exchanges()
        except LynkrError as error:
            self._forget_row.say(said(error), LabelKind.BAD)
            return
        self._forget_row.say(words.FORGOTTEN, LabelKind.GOOD)


class AdvancedCard(SettingsCard):
    """Limits of time, and where the proxy runs."""

    def __init__(self, theme: Theme, desk: Desk) -> None:
        super().__init__(words.ADVANCED, desk)
        self.limits: dict[str, tuple[ValueField, SettingRow]] = {}
        for key, name, hint in words.LIMITS:
            field = ValueField(name, 64)
            field.entered.connect(lambda typed, key=key: self._enter(key, typed))
            row = SettingRow(name, field, Label(words.SECONDS, LabelKind.MUTED), hint=hint)
            self.limits[key] = field, row
            self.body.addWidget(row)
        self.loop = choice(theme, words.ENGINE_LOOP)
        self.loop.offer([(key.value, title) for key, title in words.ENGINE_LOOPS])
        self.loop.chosen.connect(self._choose_loop)
        self._loop_row = SettingRow(words.ENGINE_LOOP, self.loop, hint=words.ENGINE_LOOP_HINT)
        self.body.addWidget(self._loop_row)
        self.show_settings()

    def show_settings(self) -> None:
        """Show what is in use."""
        limits = self.desk.settings.limits
        for key, (field, _) in self.limits.items():
            field.show_value(f"{getattr(limits, key):g}")
        self.loop.choose(self.desk.settings.desktop.engine_loop.value)

    def _enter(self, key: str, typed: str) -> None:
        row = self.limits[key][1]
        try:
            seconds = float(typed)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= 86400:
            row.say(words.NOT_SECONDS, LabelKind.BAD)
            return
        settings = self.desk.settings
        changed: dict[str, Any] = {key: seconds}
        self.change(replace(settings, limits=replace(settings.limits, **changed)), row)

    def _choose_loop(self, key: str) -> None:
        settings = self.desk.settings
        desktop = replace(settings.desktop, engine_loop=EngineLoop(key))
        self.change(replace(settings, desktop=desktop), self._loop_row, words.NEXT_START)


class AboutCard(SettingsCard):
    """Version, folders, licences, diagnostics. `licences_wanted` asks for their text."""

    licences_wanted = Signal()

    def __init__(self, desk: Desk, premises: Premises) -> None:
        super().__init__(words.ABOUT, desk)
        self._premises = premises
        places = premises.around.places
        self.body.addWidget(Label(words.version(__version__)))
        for name, folder in ((words.DATA_FOLDER, places.data_dir), (words.LOG_FOLDER, places.log_dir)):
            opened = Button(words.OPEN)
            opened.setAccessibleName(f"{words.OPEN}: {name}")
            opened.clicked.connect(lambda _checked=False, folder=folder: _open(folder))
            path = ElidedLabel(str(folder), LabelKind.MUTED)
            path.setAccessibleName(str(folder))
            self.body.addWidget(SettingRow(name, path, opened, fills=True))
        self.copy = Button(words.COPY_DIAGNOSTICS)
        self.copy.clicked.connect(self._copy)
        self.licences = Button(words.LICENCES)
        self.licences.clicked.connect(self.licences_wanted)
        self.licences.setVisible(premises.around.notice_file is not None)
        self._row = SettingRow("")
        self.body.addWidget(buttons(self.copy, self.licences))
        self.body.addWidget(self._row)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._premises.diagnostics(self.desk.settings))
        self._row.say(words.DIAGNOSTICS_COPIED, LabelKind.GOOD)


def _masked(secret: Secret) -> str:
    value = secret.reveal()
    return f"ends …{value[-4:]}" if len(value) >= _FEWEST_SHOWN else "…"


def _open(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
