"""Numbers keep their unit and never claim what nobody knows."""

import time
from datetime import datetime

import pytest

from lynkr_desktop.ui import format as shown


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (None, "unpriced"),
        ("not a number", "unpriced"),
        ("NaN", "unpriced"),
        ("0", "$0.00"),
        ("0.00000004", "< $0.0001"),
        ("0.0031", "$0.0031"),
        ("0.0312", "$0.031"),
        ("0.613", "$0.61"),
        ("1.84", "$1.84"),
        ("999.994", "$999.99"),
        ("1204.4", "$1,204"),
        ("-0.5", "-$0.50"),
    ],
)
def test_money(amount: str | None, words: str) -> None:
    assert shown.money(amount) == words


def test_savings_carry_their_sign() -> None:
    assert shown.signed_money("6.31") == "+$6.31"
    assert shown.signed_money("-0.4") == "-$0.40"
    assert shown.signed_money("0") == "$0.00"
    assert shown.signed_money(None) == "unpriced"


@pytest.mark.parametrize(
    ("cost", "basis", "words"),
    [
        ("0.0312", "priced", "$0.031"),
        ("0.0312", "reported", "$0.031"),
        ("0.0312", "estimated", "≈ $0.031"),
        (None, "estimated", "unpriced"),
        ("0", "free", "free"),
        (None, "unpriced", "unpriced"),
    ],
)
def test_a_cost_tells_its_basis(cost: str | None, basis: str, words: str) -> None:
    assert shown.cost(cost, basis) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "–"),
        (0, "0"),
        (412, "412"),
        (1100, "1.1k"),
        (38_200, "38.2k"),
        (99_949, "99.9k"),
        (120_400, "120k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (1_200_000, "1.2M"),
    ],
)
def test_tokens(count: int | None, words: str) -> None:
    assert shown.tokens(count) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, "–"),
        (0.3, "0.3 ms"),
        (12, "12 ms"),
        (94.9, "95 ms"),
        (95, "0.1 s"),
        (900, "0.9 s"),
        (9949, "9.9 s"),
        (9960, "10 s"),
        (41_000, "41 s"),
        (59_600, "1 min 0 s"),
        (125_000, "2 min 5 s"),
    ],
)
def test_durations(milliseconds: float | None, words: str) -> None:
    assert shown.duration(milliseconds) == words


def test_shares() -> None:
    assert shown.percent(92, 100) == "92 %"
    assert shown.percent(3, 1000) == "0.3 %"
    assert shown.percent(0, 1000) == "0 %"
    assert shown.percent(0, 0) == "–"


def _at(*parts: int) -> float:
    return datetime(*parts).astimezone().timestamp() * 1000  # type: ignore[arg-type]


def test_moments_are_as_long_as_needed() -> None:
    now = _at(2026, 11, 18, 15, 2)
    assert shown.moment(_at(2026, 11, 18, 14, 52, 7), now) == "14:52:07"
    assert shown.moment(_at(2026, 11, 17, 14, 52, 7), now) == "Tue 14:52"
    assert shown.moment(_at(2026, 11, 9, 14, 52, 7), now) == "9 Nov"
    assert shown.moment(_at(2026, 11, 19, 0, 1), now) == "19 Nov"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no tzset")
def test_the_day_begins_at_local_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    try:
        now = 1_792_965_600_000  # 2026-10-25 23:00 there: the clock was set back that morning
        assert shown.clock(shown.midnight_ms(now)) == "00:00:00"
        assert now - shown.midnight_ms(now) == 24 * 3_600_000
    finally:
        monkeypatch.undo()
        time.tzset()


def test_axis_marks_have_as_many_digits_as_their_distance() -> None:
    assert [shown.axis_money(value, 0.2) for value in (0, 0.2, 0.4)] == ["$0.0", "$0.2", "$0.4"]
    assert shown.axis_money(4, 2) == "$4"
    assert shown.axis_money(0.005, 0.005) == "$0.005"
