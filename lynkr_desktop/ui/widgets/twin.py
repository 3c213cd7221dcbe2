"""A chart and the same as a table, with the button that changes between them. Knows neither's content."""

from collections.abc import Sequence

from PySide6.QtWidgets import QStackedWidget, QWidget

from lynkr_desktop.ui import text
from lynkr_desktop.ui.models.rows import Cell, RowsModel
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.button import IconButton
from lynkr_desktop.ui.widgets.table import Table


class Twin(QStackedWidget):
    """Shows `chart`, or the rows that say the same. `button` belongs into the card's header.

    Whoever fills it asks `is_table` first: rows are only worth making while they are seen; `button.toggled` tells of the change.
    """

    def __init__(self, theme: Theme, chart: QWidget, name: str, stretched: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = RowsModel((), self)
        self._table = Table(theme, stretched, name)
        self._table.setModel(self._model)
        self.button = IconButton(theme, "table", text.SHOW_AS_TABLE)
        self.button.setCheckable(True)
        self.button.toggled.connect(self._turn)
        self.addWidget(chart)
        self.addWidget(self._table)

    @property
    def is_table(self) -> bool:
        """Is the table shown now?"""
        return self.button.isChecked()

    def show_rows(self, headers: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> None:
        """Fill the table."""
        self._model.show_rows(rows, headers)
        self._table.fit_columns()

    def _turn(self) -> None:
        name = text.SHOW_AS_CHART if self.is_table else text.SHOW_AS_TABLE
        self.button.setToolTip(name)
        self.button.setAccessibleName(name)
        self.setCurrentIndex(int(self.is_table))
