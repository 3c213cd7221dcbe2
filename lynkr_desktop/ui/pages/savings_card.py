"""What savings are counted against: one choice, used and saved at once."""

from dataclasses import replace

from PySide6.QtWidgets import QSizePolicy, QWidget

from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text
from lynkr_desktop.ui import text_money as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.choice import Choice
from lynkr_desktop.ui.widgets.label import LabelKind
from lynkr_desktop.ui.widgets.setting_row import SettingRow


class SavingsCard(Card):
    """Follows the settings."""

    def __init__(self, theme: Theme, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(words.SAVINGS, parent=parent)
        self._desk = desk
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.baseline = Choice(theme, words.BASELINE)
        self.baseline.chosen.connect(self._choose)
        self._row = SettingRow(words.BASELINE, self.baseline, hint=words.BASELINE_HINT, fills=True)
        self.body.addWidget(self._row)
        desk.signals.settings_changed.connect(self.show_settings)
        self.show_settings()

    def show_settings(self) -> None:
        """Show what is in use."""
        settings = self._desk.settings
        self.baseline.offer(words.baselines(settings), settings.baseline)

    def _choose(self, baseline: str) -> None:
        changed = replace(self._desk.settings, baseline=baseline)
        Latest[None](self._desk, "change the baseline", lambda _: self._row.say(""), self._refuse).ask(self._desk.change(changed))

    def _refuse(self, error: LynkrError) -> None:
        self._row.say(text.refused(error), LabelKind.BAD)
        self.show_settings()
