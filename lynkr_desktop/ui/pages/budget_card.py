"""Budgets to look at and to change: how full each is, and at which percents what happens. A change is used and saved at once."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import CLIENT_SCOPE, PROJECT_SCOPE, TIERS, Budget, BudgetPeriod, Tier
from lynkr_desktop.engine.api import BudgetState
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text
from lynkr_desktop.ui import text_money as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import plain_number, typed_number
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.choice import Choice
from lynkr_desktop.ui.widgets.label import Label, LabelKind, Rule
from lynkr_desktop.ui.widgets.setting_row import SettingRow, ValueField, buttons

_FIRST: Final = Budget("10")
_AMOUNT_WIDTH: Final = 84
_PERCENT_WIDTH: Final = 60
_STEPS: Final = (
    ("notify_at", words.NOTIFY_AT),
    ("cap_at", words.CAP_AT),
    ("free_at", words.FREE_AT),
    ("stop_at", words.STOP_AT),
)


class BudgetCard(Card):
    """Follows the settings and the engine's sums. Offers the programs and projects that a budget or a last request names."""

    def __init__(self, theme: Theme, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(words.BUDGETS, parent=parent)
        self._theme = theme
        self._desk = desk
        self._scopes: set[str] = set()  # of programs and projects that were seen
        self._budgets: tuple[Budget, ...] | None = None
        self.rows: list[BudgetRows] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._nothing = Label(words.NO_BUDGET, LabelKind.MUTED, wraps=True)
        self._list = QVBoxLayout()
        self._list.setSpacing(SPACE_12)
        self.add = Button(words.ADD_BUDGET)
        self.add.clicked.connect(self._add)
        self._refusal = Label("", LabelKind.BAD, wraps=True)
        self._refusal.hide()
        self.body.setSpacing(SPACE_12)
        self.body.addWidget(self._nothing)
        self.body.addLayout(self._list)
        self.body.addWidget(self._refusal)
        self.body.addWidget(buttons(self.add))
        desk.signals.settings_changed.connect(self.show_settings)
        desk.signals.snapshot_changed.connect(self.show_settings)
        self.show_settings()

    def show_settings(self) -> None:
        """Show the budgets in use and how full they are."""
        budgets, snapshot = self._desk.settings.budgets, self._desk.snapshot()
        self._scopes |= {each.scope for each in budgets if each.client or each.project}
        if (last := snapshot.last) is not None:
            self._scopes |= {
                f"{start}{name}" for start, name in ((CLIENT_SCOPE, last.client), (PROJECT_SCOPE, last.project)) if name
            }
        self._nothing.setVisible(not budgets)
        if self._budgets is None or len(self._budgets) != len(budgets):
            self._make_rows(len(budgets))
        self._budgets = budgets
        states = {each.budget: each for each in snapshot.budgets}
        for rows, budget in zip(self.rows, budgets, strict=True):
            rows.show_budget(budget, states.get(budget), sorted(self._scopes))

    def _make_rows(self, count: int) -> None:
        while (item := self._list.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = []
        for index in range(count):
            if index:
                self._list.addWidget(Rule())
            rows = BudgetRows(self._theme, partial(self._change, index))
            self._list.addWidget(rows)
            self.rows.append(rows)

    def _add(self) -> None:
        self._use((*self._desk.settings.budgets, _FIRST))

    def _change(self, index: int, budget: Budget | None) -> None:
        """Another budget in this one's place, or none."""
        budgets = self._desk.settings.budgets
        self._use((*budgets[:index], *([] if budget is None else [budget]), *budgets[index + 1 :]))

    def _use(self, budgets: tuple[Budget, ...]) -> None:
        changed = replace(self._desk.settings, budgets=budgets)
        Latest[None](self._desk, "change budgets", lambda _: self._say(""), self._refuse).ask(self._desk.change(changed))

    def _refuse(self, error: LynkrError) -> None:
        self._say(text.refused(error))
        self.show_settings()

    def _say(self, refusal: str) -> None:
        self._refusal.setText(refusal)
        self._refusal.setVisible(bool(refusal))


class BudgetRows(QWidget):
    """One budget. `change` takes what it shall be instead; None removes it."""

    def __init__(self, theme: Theme, change: Callable[[Budget | None], None]) -> None:
        super().__init__()
        self._change = change
        self._budget = _FIRST
        self.scope, self.period = Choice(theme, words.SCOPE), Choice(theme, words.PERIOD)
        self.amount = ValueField(words.AMOUNT, _AMOUNT_WIDTH)
        self.remove = Button(words.REMOVE_BUDGET, ButtonKind.QUIET)
        self.tier = Choice(theme, words.HIGHEST_TIER)
        self.tier.offer([(tier.value, tier.value) for tier in TIERS[:-1]])
        self.tier.setFixedWidth(108)
        self.steps = {name: ValueField(f"{title}: {words.PERCENT}", _PERCENT_WIDTH) for name, title in _STEPS}
        self._standing = SettingRow("")
        self._step_rows: dict[str, SettingRow] = {}
        self._lay_out()
        self.scope.chosen.connect(self._choose_scope)
        self.period.chosen.connect(lambda key: self._use(period=BudgetPeriod(key)))
        self.tier.chosen.connect(lambda key: self._use(highest_tier=Tier(key)))
        self.amount.entered.connect(self._enter_amount)
        self.remove.clicked.connect(lambda: change(None))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_8)
        for controls in ((self.scope, self.remove), (Label("$", LabelKind.MUTED), self.amount, self.period)):
            across = QHBoxLayout()
            across.setSpacing(SPACE_8)
            for widget in controls:
                across.addWidget(widget, int(isinstance(widget, Choice)))
            layout.addLayout(across)
        layout.addWidget(self._standing)
        for name, title in _STEPS:
            field = self.steps[name]
            field.setPlaceholderText(words.NEVER)
            field.entered.connect(lambda typed, name=name: self._enter_percent(name, typed))
            tier = (Label(words.AT, LabelKind.MUTED), self.tier) if name == "cap_at" else ()
            row = SettingRow(title, field, Label(words.PERCENT, LabelKind.MUTED), *tier)
            self._step_rows[name] = row
            layout.addWidget(row, 0, Qt.AlignmentFlag.AlignTop)

    def show_budget(self, budget: Budget, state: BudgetState | None, named: list[str]) -> None:
        """Show a budget and how full it is."""
        if self._budget != budget:
            for row in (self._standing, *self._step_rows.values()):
                row.say("")
        self._budget = budget
        scopes = ["all", "session", *named]
        self.scope.offer([(scope, words.scope_title(scope)) for scope in scopes], budget.scope)
        is_session = budget.scope == "session"
        self.period.offer(
            [(key.value, title) for key, title in (words.NEVER_ANEW if is_session else words.PERIODS)], budget.period
        )
        self.period.setEnabled(not is_session)
        self.amount.show_value(typed_number(budget.amount_usd))
        self.tier.choose(budget.highest_tier.value)
        for name, field in self.steps.items():
            percent = getattr(budget, name)
            field.show_value("" if percent is None else str(percent))
        self._standing.set_hint("" if state is None else words.budget_standing(state))

    def _choose_scope(self, scope: str) -> None:
        period = self._budget.period if self._budget.period is not BudgetPeriod.NONE else BudgetPeriod.DAY
        self._use(scope=scope, period=BudgetPeriod.NONE if scope == "session" else period)

    def _enter_amount(self, typed: str) -> None:
        plain = plain_number(typed.removeprefix("$").removesuffix("$"))
        try:
            is_amount = plain.isascii() and Decimal(plain) > 0 and "e" not in plain.lower()
        except InvalidOperation:
            is_amount = False
        if is_amount:
            self._use(amount_usd=plain)
        else:
            self._standing.say(words.NOT_AN_AMOUNT, LabelKind.BAD)

    def _enter_percent(self, name: str, typed: str) -> None:
        plain = typed.removesuffix("%").strip()
        is_percent = plain.isascii() and plain.isdigit() and 1 <= int(plain[:4]) <= 100
        if plain and not is_percent:
            self._step_rows[name].say(words.NOT_A_PERCENT, LabelKind.BAD)
            return
        self._use(**{name: int(plain) if plain else None})

    def _use(self, **changes: Any) -> None:
        self._change(replace(self._budget, **changes))
