"""Savings as the user sees and chooses them."""

from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import validate
from lynkr_desktop.engine.api import Figures
from lynkr_desktop.ui import text_money
from lynkr_desktop.ui.pages.savings_card import SavingsCard
from lynkr_desktop.ui.theme import Theme
from tests.ui.ledger_desk import LedgerDesk


def test_every_baseline_on_offer_can_be_used(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> None:
    card = SavingsCard(theme, desk)
    qtbot.addWidget(card)
    assert card.baseline.text() == "always COMPLEX"
    offered = text_money.baselines(desk.settings)
    assert len(offered) > 4
    for key, words in offered[::-1]:
        card.baseline._pick(key)
        assert (validate(desk.settings).baseline, card.baseline.text()) == (key, words)


def test_a_sum_shows_its_sign_its_mark_and_what_it_leaves_out() -> None:
    measured = Figures("1.84", 0, 10, 1, 400, saved_usd="6.31", baseline="always COMPLEX", saved_label="measured")
    assert text_money.saved(measured) == "+$6.31"
    assert text_money.saved_line(measured) == "against always COMPLEX · measured"
    lost = Figures(
        "1.84", 0, 10, 1, 400, saved_usd="-1.2", baseline="the model asked for", saved_label="estimated", unmeasurable=3
    )
    assert text_money.saved(lost) == "≈ -$1.20"
    assert text_money.saved_line(lost) == "against the model asked for · estimated · without 3 not measurable"
