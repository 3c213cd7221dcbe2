"""Type a prompt and see where it would go, live. Sends nothing to a model."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Target, Tier
from lynkr_desktop.engine.api import Analysis
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text, text_setup
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.pages.tier_draft import TierPlan, tier_under
from lynkr_desktop.ui.theme import SPACE_4, SPACE_8, SPACE_16, SPACE_24, Theme
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.label import ElidedLabel, Label, LabelKind
from lynkr_desktop.ui.widgets.tier import TierChip

_PAUSE_MS = 150
_SHOWN_DIMENSIONS = 3


class TryIt(Card):
    """A box for a prompt; beside it score, tier, target, reason, and what counted most, under the plan as it stands."""

    def __init__(self, theme: Theme, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(text_setup.TRY_IT, text_setup.TRY_IT_NOTE, parent)
        self._desk = desk
        self._plan: TierPlan | None = None
        self._is_saved = True
        self._analysis: Analysis | None = None
        self._question = Latest[Analysis](desk, "analyze a prompt", self._show, self._show_error)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.prompt = QPlainTextEdit()
        self.prompt.setPlaceholderText(text_setup.TRY_IT_HINT)
        self.prompt.setAccessibleName(text_setup.TRY_IT_NAME)
        self.prompt.setTabChangesFocus(True)
        self.prompt.setMinimumHeight(96)
        self.prompt.textChanged.connect(self._pause.start)
        self._score = Label("", LabelKind.FIGURE)
        self._chip = TierChip(theme, None, is_full=True)
        self._target = ElidedLabel("", LabelKind.MUTED)
        self._reason = Label("", LabelKind.BODY, wraps=True)
        self._counted = Label("", LabelKind.SMALL, wraps=True)
        self._estimates = Label("", LabelKind.SMALL, wraps=True)
        self._result = QWidget()
        self._lay_out()
        self._clear()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(SPACE_8 + SPACE_4)
        first.addWidget(self._score)
        first.addWidget(self._chip)
        first.addWidget(self._target, 1)
        result = QVBoxLayout(self._result)
        result.setContentsMargins(0, 0, 0, 0)
        result.setSpacing(SPACE_4)
        result.addLayout(first)
        result.addWidget(self._reason)
        result.addWidget(self._counted)
        result.addWidget(self._estimates)
        result.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(SPACE_24 if self.width() > 700 else SPACE_16)
        row.addWidget(self.prompt, 1)
        row.addWidget(self._result, 1)
        self.body.addLayout(row)

    def show_plan(self, plan: TierPlan, *, is_saved: bool) -> None:
        """Judge by this plan from now on. The words say so while it is not saved."""
        has_news = is_saved and not self._is_saved
        self._plan = plan
        self._is_saved = is_saved
        if has_news and self._analysis is not None:
            self._ask()
        elif self._analysis is not None:
            self._show(self._analysis)

    def _ask(self) -> None:
        prompt = self.prompt.toPlainText()
        if prompt.strip():
            self._question.ask(self._desk.analyze(prompt))
        else:
            self._question.forget()
            self._clear()

    def _clear(self) -> None:
        self._analysis = None
        for widget in (self._score, self._chip, self._target, self._counted, self._estimates):
            widget.hide()
        self._reason.setText(text_setup.TRY_IT_EMPTY)
        self._reason.set_kind(LabelKind.MUTED)

    def _show(self, analysis: Analysis) -> None:
        self._analysis = analysis
        route = analysis.route
        tier, target = self._decision(analysis)
        self._score.setText(str(route.score.value) if route.score else "")
        self._score.setVisible(route.score is not None)
        self._chip.show_tier(tier)
        self._target.setText(text_setup.goes_to(target))
        is_same = tier == route.tier
        self._reason.setText(text.reason(route.reason) if is_same else text_setup.under_unsaved(tier))
        self._reason.set_kind(LabelKind.BODY)
        dimensions = sorted(route.score.dimensions, key=lambda each: -abs(each.points)) if route.score else []
        self._counted.setText(
            "\n".join(text_setup.dimension_line(each) for each in dimensions[:_SHOWN_DIMENSIONS] if each.points)
        )
        self._estimates.setText(text_setup.estimates_line(analysis.estimates) if self._is_saved else "")
        for widget in (self._chip, self._target):
            widget.show()
        for label in (self._counted, self._estimates):
            label.setVisible(bool(label.text()))

    def _decision(self, analysis: Analysis) -> tuple[Tier | None, Target | None]:
        """Tier and first target by the plan; by the route itself where that is what is saved."""
        first = analysis.route.targets[0][0] if analysis.route.targets else None
        if self._is_saved or self._plan is None:
            return analysis.route.tier, first
        tier = tier_under(self._plan, analysis)
        if tier is None:
            return None, first
        return tier, next(iter(self._plan.tiers.of(tier)), None)

    def _show_error(self, error: LynkrError) -> None:
        self._clear()
        self._reason.setText(text.refused(error))
        self._reason.set_kind(LabelKind.BAD)
