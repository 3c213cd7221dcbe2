"""How an account does, as a small sign: a full, half or crossed dot. The words beside it say the same."""

from functools import lru_cache
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from lynkr_desktop.ui.palette import Palette

SIZE: Final = 10


def health_colour(palette: Palette, state: str) -> str:
    """The colour of an account's state."""
    colours = {"healthy": palette.good, "slow": palette.warning, "no_key": palette.warning, "failing": palette.bad}
    colours |= {"elsewhere": palette.warning, "resting": palette.warning}
    return colours.get(state, palette.muted)


@lru_cache(maxsize=64)
def health_sign(palette: Palette, state: str, ratio: float) -> QPixmap:
    """Healthy: a full dot. Slow: half. Failing: a cross. Needs a key: a ring with a dot. Not used or switched off: a ring."""
    picture = QPixmap(round(SIZE * ratio), round(SIZE * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(health_colour(palette, state))
    area = QRectF(1, 1, SIZE - 2, SIZE - 2)
    painter.setPen(QPen(colour, 1.6 if state == "failing" else 1.2))
    match state:
        case "healthy":
            painter.setBrush(colour)
            painter.drawEllipse(area)
        case "slow" | "resting":
            painter.drawEllipse(area)
            painter.setBrush(colour)
            painter.drawPie(area, 90 * 16, 180 * 16)
        case "failing":
            painter.drawLine(area.topLeft(), area.bottomRight())
            painter.drawLine(area.topRight(), area.bottomLeft())
        case "no_key" | "elsewhere":
            painter.drawEllipse(area)
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(SIZE / 2, SIZE / 2), 1, 1)
        case _:
            painter.drawEllipse(area)
    painter.end()
    return picture
