"""Overrule routing: say that a tier should have been higher or lower, pin a session or a project. Asks nothing itself."""

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import TIERS, Pin, Settings, Target
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import text_learning, text_pins
from lynkr_desktop.ui.pinning import pin_of
from lynkr_desktop.ui.theme import SPACE_8
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.label import Label, LabelKind

_SWITCH_WIDTH: Final = 64


class Overrule(QWidget):
    """`judged` carries the verdict: 1, -1, or 0 where it is taken back; `pin_wanted` a `Pin`, `unpin_wanted` its scope.

    The button `pin` is not laid out here: it stands with the card's other buttons.
    """

    judged = Signal(int)
    pin_wanted = Signal(object)
    unpin_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "bare")
        self._exchange: Exchange | None = None
        self._question = Label(text_learning.SHOULD_HAVE_BEEN, LabelKind.SMALL)
        self.lower_button = self._button(text_learning.LOWER, text_learning.LOWER_TIP, -1)
        self.higher_button = self._button(text_learning.HIGHER, text_learning.HIGHER_TIP, 1)
        self.pin = Button(text_pins.PIN_SESSION)
        self.menu = QMenu(self)
        self.pin.setMenu(self.menu)
        across = QHBoxLayout()
        across.setSpacing(SPACE_8)
        for widget in (self._question, self.lower_button, self.higher_button):
            across.addWidget(widget)
        across.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(across)

    def _button(self, words: str, tip: str, verdict: int) -> Button:
        button = Button(words, ButtonKind.SWITCH)
        button.setMinimumWidth(_SWITCH_WIDTH)
        button.setAccessibleName(f"{text_learning.SHOULD_HAVE_BEEN} {words}")
        button.setToolTip(tip)
        button.clicked.connect(lambda is_checked: self.judged.emit(verdict if is_checked else 0))
        return button

    def show_exchange(self, exchange: Exchange, settings: Settings) -> None:
        """Show what was said of an exchange, and what can be pinned."""
        self._exchange = exchange
        can_judge = text_learning.can_be_judged(exchange)
        for widget in (self._question, self.lower_button, self.higher_button):
            widget.setVisible(can_judge)
        self.show_verdict(exchange.verdict)
        self.menu.clear()
        target = Target(exchange.account, exchange.model) if exchange.account and exchange.model else None
        if exchange.session:
            self._fill(self.menu, f"session:{exchange.session}", settings, target)
        if exchange.project:
            below = self.menu.addMenu(text_pins.in_menu(exchange.project))
            self._fill(below, f"project:{exchange.project}", settings, target)
        self.pin.setVisible(not self.menu.isEmpty())

    def show_verdict(self, verdict: int) -> None:
        """Show what was said."""
        self.higher_button.setChecked(verdict > 0)
        self.lower_button.setChecked(verdict < 0)

    def _fill(self, menu: QMenu, scope: str, settings: Settings, target: Target | None) -> None:
        """Each tier that has a model, the very model, and no pin."""
        now = pin_of(settings, scope)
        for tier in TIERS:
            if settings.routing.tiers.of(tier):
                pin = Pin(scope, tier)
                self._add(menu, tier.value, now is not None and now.tier is tier, partial(self.pin_wanted.emit, pin))
        if target is not None:
            exact = Pin(scope, target=target)
            is_now = now is not None and now.target == target
            self._add(menu, text_pins.this_model(target.model), is_now, lambda: self.pin_wanted.emit(exact))
        menu.addSeparator()
        self._add(menu, text_pins.NO_PIN, now is None, lambda: self.unpin_wanted.emit(scope))

    @staticmethod
    def _add(menu: QMenu, words: str, is_checked: bool, act: Callable[[], None]) -> QAction:
        action = menu.addAction(words.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(is_checked)
        action.triggered.connect(lambda _checked=False: act())
        return action
