"""The road not taken: each tier's first model with what it would have cost. Shows what an exchange holds; reckons nothing."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from lynkr_desktop.config.settings import TIERS
from lynkr_desktop.engine.events import Alternative, Exchange
from lynkr_desktop.ui import text
from lynkr_desktop.ui.theme import SPACE_4, SPACE_8, Theme
from lynkr_desktop.ui.widgets.label import ElidedLabel, Label, LabelKind
from lynkr_desktop.ui.widgets.tier import TierChip, tier_named


class _Row:
    """One alternative."""

    def __init__(self, theme: Theme, grid: QGridLayout, row: int) -> None:
        self.chip = TierChip(theme, None)
        self.model = ElidedLabel()
        self.cost = Label()
        self.switch = Label("", LabelKind.SMALL)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(self.chip, row, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.model, row, 1)
        grid.addWidget(self.cost, row, 2, right)
        grid.addWidget(self.switch, row, 3, right)

    def show_alternative(self, exchange: Exchange, alternative: Alternative | None) -> None:
        """Show one, or nothing."""
        for widget in (self.chip, self.model, self.cost, self.switch):
            widget.setVisible(alternative is not None)
        if alternative is None:
            return
        tier = tier_named(alternative.tier)
        self.chip.show_tier(tier, alternative.tier[:1])
        self.model.setText(alternative.target.partition(":")[2])
        self.model.setToolTip(alternative.target)
        self.cost.setText(text.instead_cost(exchange, alternative))
        self.switch.setText(text.instead_switch(exchange, alternative))


class Instead(QWidget):
    """The alternatives of an exchange. Hidden where there are none."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "bare")
        self.setToolTip(text.INSTEAD_TIP)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE_8)
        grid.setVerticalSpacing(SPACE_4)
        grid.setColumnStretch(1, 1)
        grid.addWidget(Label(text.INSTEAD, LabelKind.SMALL), 0, 0, 1, 2)
        right = Qt.AlignmentFlag.AlignRight
        grid.addWidget(Label(text.INSTEAD_COST, LabelKind.SMALL), 0, 2, right)
        grid.addWidget(Label(text.INSTEAD_SWITCH, LabelKind.SMALL), 0, 3, right)
        self.rows = tuple(_Row(theme, grid, number) for number, _ in enumerate(TIERS, 1))

    def show_exchange(self, exchange: Exchange) -> None:
        """Show an exchange's alternatives."""
        self.setVisible(bool(exchange.alternatives))
        for number, row in enumerate(self.rows):
            row.show_alternative(exchange, exchange.alternatives[number] if number < len(exchange.alternatives) else None)
