"""Every sentence of the command palette. Constants and small functions; no widgets, no decisions."""

from typing import Final

from lynkr_desktop.config.settings import Mode
from lynkr_desktop.ui.language import say
from lynkr_desktop.ui.text import mode_title

PALETTE: Final = "Commands"
HINT: Final = "Type a command"
NOTHING: Final = "No command has these words"
COPY_ENDPOINT: Final = "Copy the endpoint's address"
UNDO: Final = "Undo the last change of settings"
COPY_TOKEN: Final = "Copy the token"  # noqa: S105  a command


def go_to(page: str) -> str:
    """Opens a page."""
    return say("Go to {page}", page=page)


def use_mode(mode: Mode) -> str:
    """Changes the mode."""
    return say("Mode: {mode}", mode=mode_title(mode))


def use_colours(colours: str) -> str:
    """Changes the colours."""
    return say("Colours: {colours}", colours=colours)


def test_provider(title: str) -> str:
    """Makes a real call to a provider."""
    return say("Test {title}", title=title)
