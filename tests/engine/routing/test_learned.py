"""The learned words: the table is what training wrote, strangers say nothing, and the work is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.routing.dimensions import SIGNALS
from lynkr_desktop.engine.routing.learned import LEARNED, Opinion, opinion_of, pack, told_words, unpack
from lynkr_desktop.engine.routing.word_features import kept_words

WEIGHT = st.integers(-500_000, 500_000)


def opinion(text: str) -> Opinion:
    words = text.split()
    return opinion_of(words, frozenset(words))


@given(st.lists(st.tuples(WEIGHT, WEIGHT, WEIGHT, WEIGHT), max_size=12))
def test_packed_numbers_add_up_head_by_head(weights: list[tuple[int, int, int, int]]) -> None:
    expected = tuple(map(sum, zip(*weights, strict=True))) if weights else (0, 0, 0, 0)
    assert unpack(sum(pack(*each) for each in weights)) == expected


def test_each_signal_of_the_ask_has_weights_and_no_other() -> None:
    assert set(LEARNED.dimensions) == {signal.name for signal in SIGNALS if not signal.envelope_points}


def test_the_model_says_when_and_of_what_it_was_made() -> None:
    assert LEARNED.date > "2026-11-01"
    assert "MIT" in LEARNED.about
    assert "Apache-2.0" in LEARNED.about
    assert LEARNED.quality["crossed_accuracy_written"] > 0.8


def test_words_speak_for_their_tiers() -> None:
    assert opinion("rename the variable please").medium < 0 < opinion("find out why it hangs under load everywhere").complex
    assert opinion("prove that the invariant holds").reasoning > opinion("write a function with tests").reasoning


def test_strangers_say_nothing() -> None:
    assert opinion("xqzv") == Opinion()
    assert opinion("") == Opinion()


def test_only_head_and_tail_of_very_many_words_are_read() -> None:
    words = [f"w{number}" for number in range(1000)]
    kept = kept_words(words)
    assert len(kept) < 300
    assert (kept[0], kept[-1]) == ("w0", "w999")


def test_the_words_told_are_the_strongest_of_either_side() -> None:
    harder, easier = told_words(["please", "rename", "everywhere", "xqzv"], 1)
    assert (harder, easier) == (("everywhere",), ("rename",))


@given(st.text(max_size=300))
def test_any_words_have_a_finite_opinion(text: str) -> None:
    found = opinion(text)
    assert all(abs(each) < 1000 for each in (found.medium, found.complex, found.reasoning, found.gain))
