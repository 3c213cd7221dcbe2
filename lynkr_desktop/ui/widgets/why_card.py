"""The why card: one exchange in full, from the sentence why down to the upstream's own words. Asks nothing itself."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Settings
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import text
from lynkr_desktop.ui.theme import SPACE_4, SPACE_8, SPACE_12, SPACE_16, Theme
from lynkr_desktop.ui.widgets.button import Button, IconButton
from lynkr_desktop.ui.widgets.instead import Instead
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.overrule import Overrule
from lynkr_desktop.ui.widgets.tier import TierChip, tier_named
from lynkr_desktop.ui.widgets.why_charts import DimensionBars, ScoreOnBand, Waterfall

NARROWEST: Final = 300
_DEFAULT: Final = Settings()


class WhyCard(QFrame):
    """Shows one exchange, or a hint while none is chosen. `closed` is its close button; `overrule` is what the user says to it.

    `as_of` tells the date of the price table for a provider and model; empty if unknown.
    """

    closed = Signal()

    def __init__(self, theme: Theme, as_of: Callable[[str, str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setMinimumWidth(NARROWEST)
        self._as_of = as_of
        self._exchange: Exchange | None = None
        self._title = Label("", LabelKind.STRONG)
        self._chip = TierChip(theme, None)
        self._close = IconButton(theme, "close", text.CLOSE)
        self._close.clicked.connect(self.closed)
        self._hint = Label(text.WHY_EMPTY, LabelKind.MUTED, wraps=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._reason = _long()
        self._method = _long(LabelKind.SMALL)
        self._shadow = _long(LabelKind.STRONG)
        self._instead = Instead(theme)
        self._band = ScoreOnBand(theme)
        self._dimensions = DimensionBars(theme)
        self._failure = _Failure()
        self._attempts_title = Label(text.ATTEMPTS, LabelKind.SMALL)
        self._attempts = Waterfall(theme)
        self._tokens = _long(LabelKind.SMALL)
        self._cost = _long(LabelKind.SMALL)
        self._fidelity = _long(LabelKind.SMALL)
        self.overrule = Overrule()
        self._refusal = Label("", LabelKind.BAD, wraps=True)
        self._copy = Button(text.COPY_AS_TEXT)
        self._copy.clicked.connect(self._copy_as_text)
        self._scroll = QScrollArea()
        self._lay_out()
        self.show_exchange(None)

    @property
    def exchange(self) -> Exchange | None:
        """What is shown."""
        return self._exchange

    def set_closable(self, *, is_closable: bool) -> None:
        """Show the close button or not."""
        self._close.setVisible(is_closable)

    def show_exchange(self, exchange: Exchange | None, settings: Settings = _DEFAULT) -> None:
        """Show an exchange under the settings in force. None shows the hint."""
        self._exchange = exchange
        self.say("")
        self._scroll.setVisible(exchange is not None)
        self._hint.setVisible(exchange is None)
        for widget in (self._title, self._chip, self._copy, self.overrule):
            widget.setVisible(exchange is not None)
        if exchange is None:
            self.overrule.pin.hide()
            return
        tier = tier_named(exchange.tier)
        self._title.setText(text.why_title(exchange))
        self.setAccessibleName(text.why_title(exchange))
        self._chip.show_tier(tier, "" if exchange.score is None else str(exchange.score))
        self._reason.setText(text.reason(exchange.reason))
        self._method.setText(text.origin_line(exchange))
        self._shadow.setText(text.shadow_line(exchange))
        self._shadow.setVisible(bool(exchange.shadow_tier))
        self._instead.show_exchange(exchange)
        self.overrule.show_exchange(exchange, settings)
        self._band.setVisible(exchange.score is not None)
        if exchange.score is not None:
            self._band.show_score(exchange.score, settings.routing.boundaries)
        self._dimensions.show_dimensions(exchange.dimensions, tier)
        self._failure.show_exchange(exchange)
        self._attempts.show_attempts(exchange.attempts, exchange.total_ms)
        self._attempts_title.setVisible(bool(exchange.attempts))
        self._tokens.setText(text.tokens_line(exchange))
        self._cost.setText(text.cost_line(exchange, self._as_of(exchange.provider, exchange.model)))
        for label in (self._tokens, self._cost):
            label.setVisible(text.was_served(exchange))
        self._fidelity.setText(text.fidelity_line(exchange))
        self._scroll.verticalScrollBar().setValue(0)

    def say(self, refusal: str) -> None:
        """Say why something could not be kept; empty says nothing."""
        self._refusal.setText(refusal)
        self._refusal.setVisible(bool(refusal))

    def _lay_out(self) -> None:
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE_12, 0, SPACE_16)
        layout.setSpacing(SPACE_8)
        layout.addLayout(self._head())
        layout.addWidget(self._hint, 1)
        layout.addWidget(self._scroll, 1)
        over = _stacked(self._refusal, self.overrule)
        over.setContentsMargins(SPACE_16, 0, SPACE_16, 0)
        layout.addLayout(over)
        foot = QHBoxLayout()
        foot.setContentsMargins(SPACE_16, 0, SPACE_16, 0)
        foot.setSpacing(SPACE_8)
        foot.addWidget(self.overrule.pin)
        foot.addWidget(self._copy)
        foot.addStretch(1)
        layout.addLayout(foot)

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_16, 0, SPACE_16, 0)
        head.setSpacing(SPACE_8)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._chip)
        head.addWidget(self._close)
        return head

    def _content(self) -> QWidget:
        content = QWidget()
        content.setProperty("kind", "bare")
        body = QVBoxLayout(content)
        body.setContentsMargins(SPACE_16, 0, SPACE_16, SPACE_8)
        body.setSpacing(SPACE_12)
        body.addLayout(_stacked(self._reason, self._shadow, self._method))
        for widget in (self._band, self._failure, self._dimensions, self._instead):
            body.addWidget(widget)
        body.addLayout(_stacked(self._attempts_title, self._attempts))
        body.addLayout(_stacked(self._tokens, self._cost, self._fidelity))
        body.addStretch(1)
        return content

    def _copy_as_text(self) -> None:
        if self._exchange is not None:
            QGuiApplication.clipboard().setText(text.exchange_as_text(self._exchange))


class _Failure(QFrame):
    """What failed, the next step, and the upstream's own words. Hidden where nothing failed."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "notice")
        self._what = _long(LabelKind.STRONG)
        self._step = _long(LabelKind.MUTED)
        self._words = _long()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_12, SPACE_8, SPACE_12, SPACE_8)
        layout.setSpacing(SPACE_4)
        for label in (self._what, self._step, self._words):
            layout.addWidget(label)

    def show_exchange(self, exchange: Exchange) -> None:
        """Show an exchange's failure."""
        self.setVisible(bool(exchange.error))
        if exchange.error:
            what, step = text.failure(exchange.error)
            self._what.setText(what)
            self._step.setText(step)
            self._words.setText(text.upstream_words(exchange))
            self._words.setVisible(bool(self._words.text()))


def _stacked(*widgets: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout()
    layout.setSpacing(SPACE_4)
    for widget in widgets:
        layout.addWidget(widget)
    return layout


def _long(kind: LabelKind = LabelKind.BODY) -> Label:
    label = Label("", kind, wraps=True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
