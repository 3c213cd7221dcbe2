"""A chart as a file: its picture as PNG, its numbers as CSV. Writes in a worker thread; asks nothing of the engine."""

import asyncio
import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text, text_settings
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.button import IconButton

Value = str | int | float | None
Table = tuple[Sequence[str], Sequence[Sequence[Value]]]
SCALE: Final = 2  # pictures are twice as large as what is seen
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class ChartExport(QObject):
    """`button` opens the menu. `values` gives headers and rows when asked; `say` tells where the file is, or why it is not."""

    def __init__(
        self,
        theme: Theme,
        desk: Desk,
        chart: QWidget,
        *,
        name: str,
        values: Callable[[], Table],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(chart)
        self._theme, self._desk, self._chart, self._name = theme, desk, chart, name
        self._values, self._say = values, say
        self.button = IconButton(theme, "save", f"{text.EXPORT}: {name}")
        self._menu = QMenu(self.button)
        self._menu.addAction(text.EXPORT_PICTURE).triggered.connect(lambda: self._pick("png", text.PNG_FILES, self.write_picture))
        self._menu.addAction(text.EXPORT_NUMBERS).triggered.connect(lambda: self._pick("csv", text.CSV_FILES, self.write_numbers))
        self.button.clicked.connect(self._open)

    def write_picture(self, path: str) -> None:
        """Write what the chart shows now."""
        image = picture_of(self._chart, self._theme.palette.card)
        self._desk.spawn(self._write(Path(path), lambda: _png(image, path)), "export a chart")

    def write_numbers(self, path: str) -> None:
        """Write what the chart is made of."""
        content = csv_of(*self._values())
        self._desk.spawn(self._write(Path(path), lambda: Path(path).write_bytes(content)), "export a chart's numbers")

    def _open(self) -> None:
        self._menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height())))

    def _pick(self, ending: str, kinds: str, then: Callable[[str], None]) -> None:
        name = f"lynkr-{self._name.lower().replace(' ', '-')}.{ending}"
        dialog = QFileDialog(self.button, "", str(Path.home() / name), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(ending)
        dialog.fileSelected.connect(then)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    async def _write(self, path: Path, write: Callable[[], object]) -> None:
        try:
            await asyncio.to_thread(write)
        except OSError as error:
            self._say(text.not_written(str(path), error.strerror or str(error)))
        else:
            self._say(text_settings.exported(str(path)))


def picture_of(chart: QWidget, ground: str) -> QImage:
    """The chart on the colour of its card."""
    image = QImage(chart.size() * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    image.fill(QColor(ground))
    chart.render(image, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
    return image


def csv_of(headers: Sequence[str], rows: Sequence[Sequence[Value]]) -> bytes:
    """Numbers with a decimal point, in UTF-8 with the mark that spreadsheets look for.

    Names of models and reasons come from elsewhere: none of them may become a formula.
    """
    content = io.StringIO()
    writer = csv.writer(content)
    writer.writerow([_safe(header) for header in headers])
    writer.writerows([[_safe(value) for value in row] for row in rows])
    return content.getvalue().encode("utf-8-sig")


def moment(milliseconds: float) -> str:
    """A moment as spreadsheets read it, in local time with its offset."""
    local: datetime = shown.local(milliseconds)
    return local.isoformat(timespec="seconds")


def _safe(value: Value) -> Value:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _png(image: QImage, path: str) -> None:
    if not image.save(path, "PNG"):  # type: ignore[call-overload]
        raise OSError(text.NO_PICTURE)
