"""Fixtures of the window's tests: no screen, one theme, a desk over a real ledger."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from lynkr_desktop.config.settings import Theme as Choice
from lynkr_desktop.ui.theme import Theme
from tests.ui.ledger_desk import LedgerDesk

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Windows that are gone are collected on this thread: on a ledger's thread they would take the process with them."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """The light theme."""
    theme = Theme(qapp, Choice.LIGHT)
    yield theme
    theme.deleteLater()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LedgerDesk]:
    """A desk with an empty ledger and four accounts."""
    desk = LedgerDesk(tmp_path / "ledger.sqlite")
    yield desk
    desk.close()
