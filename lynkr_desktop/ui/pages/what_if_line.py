"""The line that says what last week would have cost under the tiers being edited. Asks the engine while it is dragged, not more
often than it can be read."""

import time
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from lynkr_desktop.engine.routing.replay import WhatIf
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.pages.tier_draft import TierPlan
from lynkr_desktop.ui.widgets.label import Label, LabelKind

_WEEK_MS: Final = 7 * 24 * 3600 * 1000
_QUIET_MS: Final = 80


class WhatIfLine(Label):
    """Hidden until there is something to compare."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("", LabelKind.MUTED, wraps=True, parent=parent)
        self._desk = desk
        self._plan: TierPlan | None = None
        self._latest = Latest[WhatIf](desk, "replay last week", self._show, self._show_error)
        self._timer = QTimer(self, singleShot=True, interval=_QUIET_MS)
        self._timer.timeout.connect(self._ask)
        self.setToolTip(text_setup.WHAT_IF_TIP)
        self.hide()

    def compare(self, plan: TierPlan | None) -> None:
        """Compare last week with this plan soon; None hides the line."""
        self._plan = plan
        if plan is None:
            self._timer.stop()
            self._latest.forget()
            self.hide()
        elif not self._timer.isActive():
            self._timer.start()

    def _ask(self) -> None:
        if self._latest.is_waiting:
            self._timer.start()  # one question at a time: each reads a whole week
        elif self._plan is not None:
            routing = replace(self._desk.settings.routing, tiers=self._plan.tiers, boundaries=self._plan.boundaries)
            self._latest.ask(self._desk.what_if(routing, round(time.time() * 1000) - _WEEK_MS))

    def _show(self, found: WhatIf) -> None:
        line = text_setup.what_if_line(found)
        self.setText(line)
        self.setVisible(bool(line))

    def _show_error(self, error: LynkrError) -> None:
        self.setText(say_back(error.title))
        self.show()
