"""One tier on the Tiers page: its targets in order, a small form to add one. Shows a plan and asks for changes; makes none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Target, Tier
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.theme import SPACE_4, SPACE_8, SPACE_12, SPACE_16, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind, IconButton
from lynkr_desktop.ui.widgets.choice import Choice
from lynkr_desktop.ui.widgets.health import health_sign
from lynkr_desktop.ui.widgets.label import ElidedLabel, Label, LabelKind, Rule
from lynkr_desktop.ui.widgets.model_field import ModelField
from lynkr_desktop.ui.widgets.tier import TierChip

TARGET_FORMAT: Final = "application/x-lynkr-target"
_BUTTON: Final = 20


@dataclass(frozen=True, slots=True)
class ShownTarget:
    """A target with what is known of it."""

    target: Target
    account_title: str
    facts: ModelFacts
    state: str  # of the account, as in `AccountState`
    state_words: str


class TargetCard(QFrame):
    """One target. Its buttons appear under the pointer and with the focus; it is dragged, or moved with Alt and the arrows."""

    move_wanted = Signal(int)  # -1 up, 1 down
    removal_wanted = Signal()

    def __init__(self, theme: Theme, shown: ShownTarget, tier: Tier, index: int, count: int) -> None:
        super().__init__()
        self._theme = theme
        self._shown = shown
        self._place = (tier, index)
        self._pressed_at: QPoint | None = None
        self.setProperty("kind", "inset")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(text_setup.target_name(index, shown.target.model, shown.account_title))
        self._sign = Label()
        self._sign.setToolTip(shown.state_words)
        self._sign.setFixedHeight(_BUTTON)  # the card keeps its height when the buttons come
        self._up = self._button("up", text_setup.MOVE_UP, lambda: self.move_wanted.emit(-1), can_act=index > 0)
        self._down = self._button("down", text_setup.MOVE_DOWN, lambda: self.move_wanted.emit(1), can_act=index < count - 1)
        self._remove = self._button("close", text_setup.REMOVE, self.removal_wanted.emit)
        self._lay_out(index)
        theme.changed.connect(self._recolour)
        self._recolour()
        self._show_buttons(are_shown=False)

    def _button(self, icon: str, name: str, act: Callable[[], None], *, can_act: bool = True) -> IconButton:
        button = IconButton(self._theme, icon, name, ButtonKind.TOOL)
        button.clicked.connect(act)
        button.setEnabled(can_act)
        button.setFixedSize(_BUTTON, _BUTTON)
        return button

    def _lay_out(self, index: int) -> None:
        facts = self._shown.facts
        first = QHBoxLayout()
        first.setSpacing(2)
        first.addWidget(ElidedLabel(text_setup.numbered(index, self._shown.target.model), LabelKind.STRONG), 1)
        for widget in (self._up, self._down, self._remove, self._sign):
            first.addWidget(widget)
        price = ElidedLabel(text_setup.target_price(self._shown.account_title, facts), LabelKind.SMALL)
        price.setToolTip(text_setup.price_hint(facts))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_12, SPACE_8, SPACE_8, SPACE_8)
        layout.setSpacing(2)
        layout.addLayout(first)
        layout.addWidget(price)
        layout.addWidget(ElidedLabel(text_setup.abilities(facts) or text_setup.ABILITIES_UNKNOWN, LabelKind.SMALL))

    def enterEvent(self, _event: QEnterEvent) -> None:  # noqa: N802  Qt's name
        """Show what can be done."""
        self._show_buttons(are_shown=True)

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802  Qt's name
        """Be quiet again."""
        self._show_buttons(are_shown=self.hasFocus())

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802  Qt's name
        """Show what can be done."""
        super().focusInEvent(event)
        self._show_buttons(are_shown=True)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802  Qt's name
        """Be quiet again, unless the focus went to one of the buttons."""
        super().focusOutEvent(event)
        self._show_buttons(are_shown=self.underMouse() or self.isAncestorOf(QApplication.focusWidget() or self.window()))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Alt and an arrow moves, Delete removes."""
        has_alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if has_alt and event.key() == Qt.Key.Key_Up and self._up.isEnabled():
            self.move_wanted.emit(-1)
        elif has_alt and event.key() == Qt.Key.Key_Down and self._down.isEnabled():
            self.move_wanted.emit(1)
        elif event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.removal_wanted.emit()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt's name
        """Perhaps a drag begins."""
        self._pressed_at = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt's name
        """Drag the target once the pointer has really moved."""
        if self._pressed_at is None:
            return
        if (event.position().toPoint() - self._pressed_at).manhattanLength() < QApplication.startDragDistance():
            return
        mime = QMimeData()
        tier, index = self._place
        mime.setData(TARGET_FORMAT, f"{tier}:{index}".encode())
        drag = QDrag(self)
        drag.setMimeData(mime)
        drag.setPixmap(self.grab())
        drag.setHotSpot(self._pressed_at)
        self._pressed_at = None
        drag.exec(Qt.DropAction.MoveAction)

    def _show_buttons(self, *, are_shown: bool) -> None:
        for button in (self._up, self._down, self._remove):
            button.setVisible(are_shown)
        self._sign.setVisible(not are_shown)

    def _recolour(self) -> None:
        self._sign.setPixmap(health_sign(self._theme.palette, self._shown.state, self.devicePixelRatioF()))


class TargetForm(QWidget):
    """Choose an account and type or pick a model."""

    added = Signal(object)  # Target
    cancelled = Signal()
    account_chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._account = Choice(theme, text_setup.PROVIDER)
        self._account.chosen.connect(self.account_chosen)
        self._model = ModelField(theme)
        self._model.textChanged.connect(self._check)
        self._model.returnPressed.connect(self._add)
        self._add_button = Button(text_setup.ADD, ButtonKind.PLAIN)
        self._add_button.clicked.connect(self._add)
        cancel = Button(text_setup.CANCEL, ButtonKind.QUIET)
        cancel.clicked.connect(self.cancelled)
        row = QHBoxLayout()
        row.setSpacing(SPACE_4)
        row.addWidget(self._add_button)
        row.addWidget(cancel)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_8)
        layout.addWidget(self._account)
        layout.addWidget(self._model)
        layout.addLayout(row)

    def ask(self, accounts: Sequence[tuple[str, str]]) -> None:
        """Begin anew with these accounts (id, title)."""
        self._account.offer(accounts, self._account.key)
        self._model.clear()
        self._model.offer(())
        self._check()
        self._model.setFocus()
        self.account_chosen.emit(self._account.key)

    def offer_models(self, account: str, names: Sequence[str]) -> None:
        """The models of an account, if that is still the one that is chosen."""
        if account == self._account.key:
            self._model.offer(names)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Escape closes the form."""
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _check(self) -> None:
        self._add_button.setEnabled(bool(self._model.model and self._account.key))

    def _add(self) -> None:
        if self._add_button.isEnabled():
            self.added.emit(Target(self._account.key, self._model.model))


class TierColumn(QFrame):
    """A tier with its targets. Signals name the tier by being this column's; places count from 0."""

    move_wanted = Signal(object, object, int)  # (tier, index) from where, tier, index before which
    removal_wanted = Signal(object, int)
    addition_wanted = Signal(object, object)  # tier, Target
    models_wanted = Signal(object, str)  # tier, account id

    def __init__(self, theme: Theme, tier: Tier) -> None:
        super().__init__()
        self._theme = theme
        self._tier = tier
        self._cards: list[TargetCard] = []
        self._accounts: Sequence[tuple[str, str]] = ()
        self._focus_next = -1
        self._shown: object = None
        self.setProperty("kind", "card")
        self.setAccessibleName(tier.value)
        self.setAcceptDrops(True)
        self._range = ElidedLabel("", LabelKind.SMALL)
        self._problem = Label("", LabelKind.BAD, wraps=True)
        self._problem.hide()
        self._mark = Rule(self)
        self._mark.hide()
        self._list = QVBoxLayout()
        self._list.setSpacing(SPACE_8)
        self._add = Button("", ButtonKind.QUIET)
        self._add.clicked.connect(self._open_form)
        self.form = TargetForm(theme)
        self.form.hide()
        self.form.cancelled.connect(self.close_form)
        self.form.added.connect(self._form_added)
        self.form.account_chosen.connect(lambda account: self.models_wanted.emit(self._tier, account))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_12, SPACE_12, SPACE_12, SPACE_12)
        layout.setSpacing(SPACE_8)
        layout.addWidget(TierChip(theme, tier, is_full=True))
        layout.addWidget(self._range)
        layout.addWidget(self._problem)
        layout.addLayout(self._list)
        layout.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.form)
        layout.addStretch(1)

    @property
    def cards(self) -> Sequence[TargetCard]:
        """The targets' cards, in order."""
        return self._cards

    def show_range(self, first: int, last: int, count: int | None) -> None:
        """The scores of the tier and how many requests of the last week had one of them."""
        self._range.setText(text_setup.tier_range(first, last, count))

    def show_problem(self, problem: str) -> None:
        """What is wrong here; empty if nothing is."""
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))

    def show_targets(self, targets: Sequence[ShownTarget], accounts: Sequence[tuple[str, str]]) -> None:
        """Show these targets. `accounts` (id, title) are what one can be added from.

        Nothing is touched where nothing changed: the page calls this at each change of state, and a card may be in use.
        """
        news = (tuple(targets), tuple(accounts))
        if news == self._shown:
            return
        self._shown = news
        self._accounts = accounts
        self._add.setText(text_setup.add_target(has_targets=bool(targets)))
        self._add.setEnabled(bool(accounts))
        for card in self._cards:
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = []
        for index, shown in enumerate(targets):
            card = TargetCard(self._theme, shown, self._tier, index, len(targets))
            card.move_wanted.connect(lambda step, index=index: self._move(index, step))
            card.removal_wanted.connect(lambda index=index: self.removal_wanted.emit(self._tier, index))
            self._list.addWidget(card)
            self._cards.append(card)
        if 0 <= self._focus_next < len(self._cards):
            self._cards[self._focus_next].setFocus()
        self._focus_next = -1

    def close_form(self) -> None:
        """Close the form without adding."""
        self.form.hide()
        self._add.show()

    def _open_form(self) -> None:
        self._add.hide()
        self.form.show()
        self.form.ask(self._accounts)

    def _form_added(self, target: Target) -> None:
        self.close_form()
        self.addition_wanted.emit(self._tier, target)

    def _move(self, index: int, step: int) -> None:
        self._focus_next = index + step
        self.move_wanted.emit((self._tier, index), self._tier, index + step if step < 0 else index + 2)

    # Dragging: a line shows where the target would go.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802  Qt's name
        """Take targets only."""
        if event.mimeData().hasFormat(TARGET_FORMAT):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802  Qt's name
        """Show where it would go."""
        index = self._index_at(event.position().y())
        cards = self._cards
        y = (
            cards[index].y() - SPACE_4
            if index < len(cards)
            else (cards[-1].geometry().bottom() + SPACE_4 if cards else SPACE_16 * 4)
        )
        self._mark.setGeometry(SPACE_12, y, self.width() - 2 * SPACE_12, 1)
        self._mark.show()
        self._mark.raise_()
        event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:  # noqa: N802  Qt's name
        """It goes elsewhere."""
        self._mark.hide()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  Qt's name
        """Ask for the move."""
        self._mark.hide()
        tier, _, index = bytes(event.mimeData().data(TARGET_FORMAT).data()).decode().partition(":")
        event.acceptProposedAction()
        self.move_wanted.emit((Tier(tier), int(index)), self._tier, self._index_at(event.position().y()))

    def _index_at(self, y: float) -> int:
        return sum(card.geometry().center().y() < y for card in self._cards)
