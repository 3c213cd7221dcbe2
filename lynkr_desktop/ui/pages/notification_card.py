"""The Settings page's card about notifications: which kinds, and when none."""

from dataclasses import replace
from functools import partial

from lynkr_desktop.config.settings import minute_of
from lynkr_desktop.ui import text_settings as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.pages.settings_cards import SettingsCard
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.setting_row import CheckRow, SettingRow, ValueField

_CLOCK_WIDTH = 64


class NotificationCard(SettingsCard):
    """A box to tick for each kind, and the quiet hours."""

    def __init__(self, theme: Theme, desk: Desk) -> None:
        super().__init__(words.NOTIFICATIONS, desk)
        self.rows: dict[str, CheckRow] = {}
        for name, title in words.NOTES.items():
            self.rows[name] = CheckRow(theme, title)
            self.rows[name].changed.connect(partial(self._switch, name))
            self.body.addWidget(self.rows[name])
        self.quiet_from = ValueField(words.QUIET_FROM, _CLOCK_WIDTH)
        self.quiet_until = ValueField(words.QUIET_UNTIL, _CLOCK_WIDTH)
        self.quiet_from.entered.connect(partial(self._enter, "quiet_from"))
        self.quiet_until.entered.connect(partial(self._enter, "quiet_until"))
        self.quiet_row = SettingRow(words.QUIET, self.quiet_from, Label(words.UNTIL), self.quiet_until, hint=words.QUIET_HINT)
        self.body.addWidget(self.quiet_row)
        self.show_settings()

    def show_settings(self) -> None:
        """Show what is in use."""
        notifications = self.desk.settings.desktop.notifications
        for name, row in self.rows.items():
            row.box.setChecked(getattr(notifications, name))
        self.quiet_from.show_value(notifications.quiet_from)
        self.quiet_until.show_value(notifications.quiet_until)

    def _switch(self, name: str, is_on: bool) -> None:
        self._use(self.rows[name], **{name: is_on})

    def _enter(self, name: str, typed: str) -> None:
        try:
            minute = minute_of(typed) if typed else None
        except ValueError:
            self.quiet_row.say(words.NOT_A_CLOCK, LabelKind.BAD)
            return
        self._use(self.quiet_row, **{name: "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"})

    def _use(self, row: SettingRow | CheckRow, **changes: bool | str) -> None:
        desktop = self.desk.settings.desktop
        desktop = replace(desktop, notifications=replace(desktop.notifications, **changes))  # type: ignore[arg-type]
        self.change(replace(self.desk.settings, desktop=desktop), row)
