"""What is worth a notification, and when: each kind can be switched off, none comes twice, few come at once, none at quiet hours.

Shows nothing itself: whoever can show a notification connects to `noted`.
"""

import collections
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from PySide6.QtCore import QObject, Signal

from lynkr_desktop.config.settings import Notifications
from lynkr_desktop.engine.events import FailedOver, Trouble
from lynkr_desktop.ui import text_tray
from lynkr_desktop.ui.bridge import Bridge
from lynkr_desktop.ui.language import say_back

SAME_SECONDS: Final = 60.0  # between two notifications about the same thing
MANY_SECONDS: Final = 300.0  # within this time
MOST: Final = 6  # no more than so many
_BUDGET: Final = "budget"
_FAILING: Final = "failing"


class Notes(QObject):
    """Hears of everything, and lets little through. `is_watched` tells that the user looks at the window anyway."""

    noted = Signal(str, str)  # title, detail

    def __init__(
        self,
        bridge: Bridge,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        day_clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__(parent)
        self.is_watched: Callable[[], bool] = lambda: False
        self._bridge = bridge
        self._clock = clock
        self._day_clock = day_clock
        self._told_at: dict[str, float] = {}
        self._last: collections.deque[float] = collections.deque(maxlen=MOST)
        self._mode = bridge.settings.routing.mode
        self._failing = self._failing_now()
        bridge.failed_over.connect(self._hear_failovers)
        bridge.signals.trouble.connect(self._hear_trouble)
        bridge.signals.settings_changed.connect(self._hear_mode)
        bridge.signals.snapshot_changed.connect(self._hear_accounts)

    @property
    def _wanted(self) -> Notifications:
        return self._bridge.settings.desktop.notifications

    def _hear_failovers(self, failovers: list[FailedOver]) -> None:
        for event in failovers:
            if self._wanted.failover:
                note = text_tray.failover_note(event.kind, event.from_target, event.to_target)
                self._tell(f"failover {event.from_target}", *note)

    def _hear_trouble(self, trouble: Trouble) -> None:
        if trouble.is_over:
            self._told_at.pop(trouble.key, None)
            return
        is_budget = trouble.key.startswith(_BUDGET)
        if self._wanted.budget if is_budget else self._wanted.trouble:
            self._tell(trouble.key, say_back(trouble.title), say_back(trouble.detail))

    def _hear_mode(self) -> None:
        mode = self._bridge.settings.routing.mode
        before, self._mode = self._mode, mode
        if mode != before and self._wanted.mode and not self.is_watched():
            self._tell(f"mode {mode}", *text_tray.mode_note(mode, before))

    def _hear_accounts(self) -> None:
        """A provider that begins to fail; one that goes on failing is no news."""
        before, self._failing = self._failing, self._failing_now()
        for account, title in self._failing.items():
            if account not in before and self._wanted.trouble:
                detail = next(each.detail for each in self._bridge.snapshot().accounts if each.id == account)
                self._tell(f"provider {account}", text_tray.provider_note(title), say_back(detail))

    def _failing_now(self) -> dict[str, str]:
        return {each.id: each.title or each.provider_title for each in self._bridge.snapshot().accounts if each.state == _FAILING}

    def _tell(self, key: str, title: str, detail: str) -> None:
        now = self._clock()
        if now - self._told_at.get(key, -SAME_SECONDS) < SAME_SECONDS:
            return
        if len(self._last) == MOST and now - self._last[0] < MANY_SECONDS:
            return
        moment = self._day_clock()
        if self._wanted.is_quiet(60 * moment.hour + moment.minute):
            return
        self._told_at[key] = now
        self._last.append(now)
        self.noted.emit(title, detail)
