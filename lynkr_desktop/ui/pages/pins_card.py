"""What is pinned, until when, and a row to pin more. A change is used and saved at once, and can be taken back."""

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from lynkr_desktop.config.settings import CLIENT_SCOPE, PROJECT_SCOPE, TIERS, Pin, Settings
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text_pins as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.pinning import live_pins, pin_named, pinned, unpinned
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.choice import Choice
from lynkr_desktop.ui.widgets.label import ElidedLabel, Label, LabelKind

_CHOICE_WIDTH: Final = 168


class PinsCard(Card):
    """Follows the settings and the clock, in milliseconds since 1970. Offers the programs and projects that were seen."""

    def __init__(self, theme: Theme, desk: Desk, now_ms: Callable[[], float], parent: QWidget | None = None) -> None:
        super().__init__(words.PINS, words.PINS_NOTE, parent)
        self._desk, self._now = desk, now_ms
        self._scopes: set[str] = set()
        self._shown: tuple[Pin, ...] | None = None
        self._mine: Settings | None = None  # the last change, if it was made here
        self.takers: list[Button] = []
        self._nothing = Label(words.NO_PINS, LabelKind.MUTED, wraps=True)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE_12)
        self._grid.setVerticalSpacing(SPACE_8)
        self._grid.setColumnStretch(0, 1)
        self.scope, self.goal, self.time = (Choice(theme, name) for name in (words.WHAT, words.TO, words.HOW_LONG))
        self.time.offer([(str(minutes), title) for minutes, title in words.HOW_LONG_MINUTES])
        self.add = Button(words.PIN)
        self.add.clicked.connect(self._add)
        self.undo = Button(words.UNDO, ButtonKind.QUIET)
        self.undo.clicked.connect(self._undo)
        self.undo.hide()
        self._refusal = Label("", LabelKind.BAD, wraps=True)
        self._refusal.hide()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._lay_out()
        desk.signals.settings_changed.connect(self.show_settings)
        desk.signals.snapshot_changed.connect(self.show_settings)
        self.show_settings()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE_8)
        for choice in (self.scope, self.goal, self.time):
            choice.setFixedWidth(_CHOICE_WIDTH)
            row.addWidget(choice)
        row.addWidget(self.add)
        row.addWidget(self.undo)
        row.addStretch(1)
        self.body.addWidget(self._nothing)
        self.body.addLayout(self._grid)
        self.body.addWidget(self._refusal)
        self.body.addLayout(row)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Leave out what has ended meanwhile."""
        super().showEvent(event)
        self.show_settings()

    def show_settings(self) -> None:
        """Show the pins that hold, and what can be pinned."""
        settings, last = self._desk.settings, self._desk.snapshot().last
        if settings is not self._mine:
            self.undo.hide()
        pins = live_pins(settings, self._now_ms())
        self._scopes |= {f"{CLIENT_SCOPE}{token.name}" for token in settings.client_tokens}
        self._scopes |= {pin.scope for pin in pins if pin.kind in {"client", "project"}}
        if last is not None:
            named = ((CLIENT_SCOPE, last.client), (PROJECT_SCOPE, last.project))
            self._scopes |= {f"{start}{name}" for start, name in named if name}
        self.scope.offer([(scope, words.scope_title(scope)) for scope in ("all", *sorted(self._scopes))], self.scope.key)
        tiers = [(tier.value, tier.value) for tier in TIERS if settings.routing.tiers.of(tier)]
        self.goal.offer(tiers, self.goal.key)
        self.add.setEnabled(bool(tiers))
        if pins != self._shown:
            self._shown = pins
            self._show_pins(pins)

    def _show_pins(self, pins: tuple[Pin, ...]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.takers = []
        self._nothing.setVisible(not pins)
        for row, pin in enumerate(pins):
            name = ElidedLabel(words.scope_title(pin.scope))
            name.setToolTip(pin.scope)
            take = Button(words.UNPIN, ButtonKind.QUIET)
            take.setAccessibleName(f"{words.UNPIN}: {words.scope_title(pin.scope)}")
            take.clicked.connect(partial(self._take, pin.scope))
            self.takers.append(take)
            for column, widget in enumerate((name, Label(words.goal(pin), LabelKind.STRONG), Label(words.until(pin)), take)):
                self._grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignVCenter)

    def _now_ms(self) -> int:
        return round(self._now())

    def _add(self) -> None:
        minutes = self.time.key if self.time.key != "0" else ""
        now_ms = self._now_ms()
        pin = pin_named(self._desk.settings, self.scope.key, self.goal.key, f"{minutes}m" if minutes else "", now_ms)
        self._use(pinned(self._desk.settings, pin, now_ms))

    def _take(self, scope: str, _checked: bool = False) -> None:
        self._use(unpinned(self._desk.settings, scope, self._now_ms()))

    def _undo(self) -> None:
        Latest[None](self._desk, "undo a pin", lambda _: self._done(is_undone=True), self._refuse).ask(self._desk.undo())

    def _use(self, settings: Settings) -> None:
        Latest[None](self._desk, "pin", lambda _: self._done(is_undone=False), self._refuse).ask(self._desk.change(settings))

    def _done(self, *, is_undone: bool) -> None:
        """Undo takes back the last change of all, so it is offered only while that is one of this card."""
        self._mine = None if is_undone else self._desk.settings
        self.undo.setVisible(not is_undone)
        self._refusal.hide()

    def _refuse(self, error: LynkrError) -> None:
        self._refusal.setText(f"{error.title} {error.detail}".strip())
        self._refusal.show()
