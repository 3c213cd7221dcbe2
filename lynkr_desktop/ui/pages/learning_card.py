"""What routing learns, each with its measured effect. Nothing is applied unless the user says so."""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from lynkr_desktop.config.settings import Boundaries, Cascade, Settings
from lynkr_desktop.engine.api import Learned
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text_learning as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.theme import SPACE_8, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.choice import Choice
from lynkr_desktop.ui.widgets.label import Label, LabelKind, Rule
from lynkr_desktop.ui.widgets.setting_row import CheckRow, SettingRow, buttons


class LearningCard(Card):
    """Asks for the effects whenever it comes into sight, and after each change."""

    def __init__(self, theme: Theme, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(words.LEARNING, words.LEARNING_NOTE, parent)
        self._theme, self._desk = theme, desk
        self._wanted: Boundaries | None = None
        self._mine: Settings | None = None  # the last change, if it was made here
        self._learned: Latest[Learned] = Latest(desk, "what was learned", self._show, self._refuse)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.body.setSpacing(SPACE_8)
        self._boundaries_hint = Label(words.BOUNDARIES_HINT, LabelKind.SMALL, wraps=True)
        self.boundaries = Label("", LabelKind.BODY, wraps=True)
        self.apply = Button(words.APPLY)
        self.apply.clicked.connect(self._apply)
        self.undo = Button(words.UNDO, ButtonKind.QUIET)
        self.undo.clicked.connect(lambda: self._change(desk.undo(), None))
        self.history = CheckRow(theme, words.HISTORY, words.HISTORY_HINT)
        self.history.changed.connect(lambda is_on: self._learn(history=is_on))
        self.history_effect = Label("", LabelKind.BODY, wraps=True)
        self.order = CheckRow(theme, words.ORDER, words.ORDER_HINT)
        self.order.changed.connect(lambda is_on: self._learn(order=is_on))
        self.order_effect = Label("", LabelKind.BODY, wraps=True)
        self.cascade = Choice(theme, words.CASCADE)
        self.cascade.offer([(kind.value, title) for kind, title in words.CASCADES])
        self.cascade.chosen.connect(lambda key: self._learn(cascade=Cascade(key)))
        self.trials = Label("", LabelKind.BODY, wraps=True)
        self._refusal = Label("", LabelKind.BAD, wraps=True)
        self._refusal.hide()
        self._lay_out()
        desk.signals.settings_changed.connect(self.refresh)
        self.apply.setEnabled(False)
        self.undo.hide()

    def _lay_out(self) -> None:
        groups: tuple[tuple[QWidget, ...], ...] = (
            (Label(words.BOUNDARIES), self._boundaries_hint, self.boundaries, buttons(self.apply, self.undo)),
            (self.history, self.history_effect),
            (self.order, self.order_effect),
            (SettingRow(words.CASCADE, self.cascade, hint=words.CASCADE_HINT), self.trials),
        )
        for number, group in enumerate(groups):
            if number:
                self.body.addWidget(Rule())
            for widget in group:
                self.body.addWidget(widget)
        self.body.addWidget(self._refusal)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Measure anew."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Ask for the effects while anybody can see them."""
        if self._desk.settings is not self._mine:
            self.undo.hide()
        self._show_switches()
        if self.isVisible():
            self._learned.ask(self._desk.learned())

    def _show_switches(self) -> None:
        learning = self._desk.settings.learning
        self.history.box.setChecked(learning.history)
        self.order.box.setChecked(learning.order)
        self.cascade.choose(learning.cascade.value)

    def _show(self, learned: Learned) -> None:
        self._refusal.hide()
        now = self._desk.settings.routing.boundaries
        self._wanted = learned.thresholds.boundaries
        self.boundaries.setText(words.thresholds_line(learned.thresholds, now))
        self.apply.setEnabled(self._wanted != now)
        self.history_effect.setText(words.history_line(learned.history, is_on=self._desk.settings.learning.history))
        self.order_effect.setText(words.orders_line(learned.orders))
        self.trials.setText(words.trials_line(learned.trials))

    def _learn(self, **switched: Any) -> None:
        settings = self._desk.settings
        changed = replace(settings, learning=replace(settings.learning, **switched))
        self._change(self._desk.change(changed), changed)

    def _apply(self) -> None:
        settings = self._desk.settings
        if self._wanted is not None:
            changed = replace(settings, routing=replace(settings.routing, boundaries=self._wanted))
            self._change(self._desk.change(changed), changed)

    def _change(self, change: Coroutine[Any, Any, None], mine: Settings | None) -> None:
        def done(_: None) -> None:
            """Undo takes back the last change of all, so it is offered only while that is one of this card."""
            self._mine = mine
            self.undo.setVisible(mine is not None)

        Latest[None](self._desk, "use what was learned", done, self._refuse).ask(change)

    def _refuse(self, error: LynkrError) -> None:
        self._show_switches()
        self._refusal.setText(f"{error.title} {error.detail}".strip())
        self._refusal.show()
