"""Our line icons: small SVG files of `ui/assets`, in any colour and size. Decides no colour itself."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

ASSETS: Final = Path(__file__).parent.parent / "assets"


@lru_cache(maxsize=128)
def pixmap(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """The icon `name` in `colour` (#rrggbb), `size` pixels square on a screen of that pixel ratio.

    The files draw with `currentColor`, which is replaced here. Raises `FileNotFoundError` for an unknown name.
    """
    svg = (ASSETS / f"{name}.svg").read_bytes().replace(b"currentColor", colour.encode())
    image = QPixmap(round(size * ratio), round(size * ratio))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg)).render(painter)
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image
