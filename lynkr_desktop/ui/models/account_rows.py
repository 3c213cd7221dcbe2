"""The Overview's table of providers: account states in, cells out."""

from collections.abc import Iterable

from PySide6.QtGui import QPixmap

from lynkr_desktop.engine.api import AccountState
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.models.rows import Cell


def account_rows(accounts: Iterable[AccountState], signs: dict[str, QPixmap]) -> list[tuple[Cell, ...]]:
    """One row for each account. `signs` holds the picture of each state."""
    return [_row(account, signs[account.state]) for account in accounts]


def _row(account: AccountState, sign: QPixmap) -> tuple[Cell, ...]:
    times = text.two_durations(account.p50_first_token_ms, account.p95_first_token_ms)
    was_used = account.requests > 0
    cost = shown.FREE if account.is_local else shown.money(account.cost_usd)
    return (
        Cell(account.title, account.detail or account.provider_title, sign),
        Cell(text.ACCOUNT_STATES.get(account.state, account.state), say_back(account.detail)),
        Cell(times, is_number=True),
        Cell(shown.percent(account.errors, account.requests) if was_used else shown.UNKNOWN, is_number=True),
        Cell(shown.count(account.requests), is_number=True),
        Cell(cost if was_used else shown.UNKNOWN, is_number=True),
    )
