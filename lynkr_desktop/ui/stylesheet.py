"""The application's one Qt style sheet, made from a palette. Colours come in; only shapes and distances are decided here.

Widgets choose a look by the dynamic property `kind` (see `widgets/`); nothing else in the program sets a style sheet.
"""

from lynkr_desktop.ui.palette import Palette


def style_sheet(palette: Palette) -> str:
    """The whole sheet for a palette."""
    return "\n".join(
        (_surfaces(palette), _words(palette), _buttons(palette), _inputs(palette), _lists(palette), _scrolling(palette))
    )


def _surfaces(palette: Palette) -> str:
    return f"""
QMainWindow, QDialog, QWidget[kind="page"], QWidget[kind="sidebar"] {{ background: {palette.window}; }}
QWidget[kind="sidebar"] {{ border: none; border-right: 1px solid {palette.hairline}; }}
QFrame[kind="card"] {{ background: {palette.card}; border: 1px solid {palette.hairline}; border-radius: 8px; }}
QFrame[kind="inset"] {{ background: {palette.card}; border: 1px solid {palette.hairline}; border-radius: 8px; }}
QFrame[kind="inset"]:focus {{ border-color: {palette.accent}; }}
QFrame[kind="notice"] {{ background: {palette.card}; border: 1px solid {palette.warning}; border-radius: 8px; }}
QFrame[kind="rule"] {{ background: {palette.hairline}; border: none; max-height: 1px; min-height: 1px; }}
QToolTip {{ background: {palette.card}; color: {palette.text}; border: 1px solid {palette.hairline}; padding: 6px 8px; }}
QSplitter::handle {{ background: transparent; }}
QStackedWidget, QScrollArea, QScrollArea > QWidget > QWidget[kind="bare"] {{ background: transparent; border: none; }}
"""


def _words(palette: Palette) -> str:
    return f"""
QLabel {{ color: {palette.text}; background: transparent; border: none; }}
QLabel[kind="small"] {{ font-size: 11px; color: {palette.muted}; }}
QLabel[kind="muted"] {{ color: {palette.muted}; }}
QLabel[kind="strong"] {{ font-weight: 600; }}
QLabel[kind="subtitle"] {{ font-size: 15px; font-weight: 600; }}
QLabel[kind="title"] {{ font-size: 20px; font-weight: 600; }}
QLabel[kind="figure"] {{ font-size: 28px; font-weight: 600; }}
QLabel[kind="good"] {{ color: {palette.good}; }}
QLabel[kind="warning"] {{ color: {palette.warning}; }}
QLabel[kind="bad"] {{ color: {palette.bad}; }}
"""


def _buttons(palette: Palette) -> str:
    return f"""
QPushButton {{ background: {palette.card}; color: {palette.text}; border: 1px solid {palette.hairline}; border-radius: 8px;
  padding: 6px 12px; min-height: 17px; }}
QPushButton:hover, QPushButton:checked {{ background: {palette.raised}; }}
QPushButton:focus {{ border-color: {palette.accent}; }}
QPushButton:disabled {{ color: {palette.muted}; background: {palette.window}; }}
QPushButton::menu-indicator {{ width: 0; image: none; }}
QPushButton[kind="primary"] {{ background: {palette.accent}; color: {palette.on_accent}; border-color: {palette.accent};
  font-weight: 600; }}
QPushButton[kind="primary"]:focus {{ border-color: {palette.text}; }}
QPushButton[kind="primary"]:disabled {{ background: {palette.raised}; color: {palette.muted}; border-color: {palette.hairline}; }}
QPushButton[kind="danger"] {{ color: {palette.bad}; }}
QPushButton[kind="quiet"] {{ background: transparent; border-color: transparent; color: {palette.muted}; padding: 4px 6px; }}
QPushButton[kind="quiet"]:hover, QPushButton[kind="quiet"]:checked {{ background: {palette.raised}; color: {palette.text}; }}
QPushButton[kind="icon"] {{ background: transparent; border: 1px solid transparent; padding: 0; min-height: 0; }}
QPushButton[kind="icon"]:hover, QPushButton[kind="icon"]:checked {{ background: {palette.raised}; }}
QPushButton[kind="icon"]:focus {{ border-color: {palette.accent}; }}
QPushButton[kind="quiet"]:focus {{ border-color: {palette.accent}; }}
QPushButton[kind="pill"] {{ border-radius: 14px; padding: 4px 12px; min-height: 18px; }}
QPushButton[kind="pill"]:checked {{ border-color: {palette.text}; }}
QPushButton[kind="pill"]:focus {{ border-color: {palette.accent}; }}
QPushButton[kind="switch"] {{ background: transparent; border: 1px solid transparent; border-radius: 6px; color: {palette.muted};
  font-size: 11px; padding: 2px 6px; min-height: 14px; }}
QPushButton[kind="switch"]:hover {{ color: {palette.text}; }}
QPushButton[kind="switch"]:checked {{ background: {palette.raised}; color: {palette.text}; font-weight: 600; }}
QPushButton[kind="switch"]:focus {{ border-color: {palette.accent}; }}
QPushButton[kind="tool"] {{ background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 1px;
  min-height: 16px; }}
QPushButton[kind="tool"]:hover {{ background: {palette.raised}; }}
QPushButton[kind="tool"]:focus {{ border-color: {palette.accent}; }}
QPushButton[kind="nav"] {{ background: transparent; border: 1px solid transparent; border-radius: 8px; text-align: left;
  color: {palette.muted}; padding: 7px 9px; min-height: 17px; }}
QPushButton[kind="nav"]:hover {{ color: {palette.text}; }}
QPushButton[kind="nav"]:checked {{ background: {palette.raised}; color: {palette.text}; font-weight: 600; }}
QPushButton[kind="nav"]:focus {{ border-color: {palette.accent}; }}
"""


def _inputs(palette: Palette) -> str:
    return f"""
QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox {{ background: {palette.card}; color: {palette.text};
  border: 1px solid {palette.hairline}; border-radius: 8px; padding: 6px 8px; selection-background-color: {palette.accent};
  selection-color: {palette.on_accent}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ border-color: {palette.accent}; }}
QLineEdit[kind="pill"] {{ border-radius: 14px; padding: 4px 8px; min-height: 18px; }}
QComboBox {{ combobox-popup: 0; }}
QComboBox QAbstractItemView {{ background: {palette.card}; border: 1px solid {palette.hairline}; outline: none;
  selection-background-color: {palette.raised}; selection-color: {palette.text}; }}
QAbstractItemView[kind="popup"] {{ background: {palette.card}; border: 1px solid {palette.hairline}; padding: 4px; }}
QMenu {{ background: {palette.card}; color: {palette.text}; border: 1px solid {palette.hairline}; padding: 4px 0; }}
QMenu::item {{ padding: 6px 24px 6px 12px; }}
QMenu::item:selected {{ background: {palette.raised}; color: {palette.text}; }}
QMenu::item:disabled {{ color: {palette.muted}; }}
QMenu::separator {{ height: 1px; background: {palette.hairline}; margin: 4px 0; }}
"""


def _lists(palette: Palette) -> str:
    return f"""
QTableView, QListView, QTreeView {{ background: transparent; color: {palette.text}; border: none; outline: none;
  gridline-color: transparent; selection-background-color: {palette.raised}; selection-color: {palette.text}; }}
QListView[kind="palette"]::item {{ min-height: 28px; padding: 0 8px; border-radius: 6px; color: {palette.text}; }}
QListView[kind="palette"]::item:selected {{ background: {palette.raised}; }}
QHeaderView, QHeaderView::section {{ background: transparent; border: none; color: {palette.muted}; font-size: 11px; }}
QHeaderView::section {{ padding: 6px 6px; border-bottom: 1px solid {palette.hairline}; }}
QTableCornerButton::section {{ background: transparent; border: none; }}
"""


def _scrolling(palette: Palette) -> str:
    return f"""
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
QScrollBar::handle {{ background: {palette.hairline}; border-radius: 3px; min-height: 32px; min-width: 32px; }}
QScrollBar::handle:hover {{ background: {palette.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
