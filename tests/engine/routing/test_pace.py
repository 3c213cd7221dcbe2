"""How long an answer would take is drawn from what a model took lately."""

from lynkr_desktop.config.settings import Target
from lynkr_desktop.engine.routing.pace import PaceBook

ONE, OTHER = Target("a", "one"), Target("a", "other")


def test_an_answer_takes_the_first_token_and_then_each_token() -> None:
    book = PaceBook()
    book.note(ONE, 200.0, 1200.0, 100)
    assert book.estimate_ms(ONE, 50) == 700
    assert book.estimate_ms(OTHER, 50) is None


def test_newer_answers_move_the_estimate_and_short_ones_do_not() -> None:
    book = PaceBook()
    book.note(ONE, 200.0, 1200.0, 100)
    book.note(ONE, 200.0, 5200.0, 100)
    slower = book.estimate_ms(ONE, 100)
    assert slower is not None
    assert 1200 < slower < 5200
    book.note(ONE, 200.0, 9999.0, 1)
    assert book.estimate_ms(ONE, 100) == slower


def test_an_answer_that_came_at_once_tells_the_rate_only() -> None:
    book = PaceBook()
    book.note(ONE, None, 1000.0, 100)
    assert book.estimate_ms(ONE, 50) == 500


def test_the_book_is_bounded() -> None:
    book = PaceBook()
    for number in range(200):
        book.note(Target("a", str(number)), 1.0, 20.0, 10)
    assert book.estimate_ms(Target("a", "0"), 10) is None
    assert book.estimate_ms(Target("a", "199"), 10) is not None
