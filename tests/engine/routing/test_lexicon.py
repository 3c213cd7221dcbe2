"""Words and phrases are found in every script, however the text is taken apart."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.routing.lexicon import count, words_of

WORD = re.compile(r"[0-9a-zß-öø-ɏ]+|[Ѐ-ӿ]+|[぀-ヿ㐀-鿿가-힯]+")


def counted(text: str) -> dict[str, int]:
    """The concepts that a lower-case text names."""
    words = words_of(text)
    return count(words, frozenset(words))


@given(st.text(st.sampled_from("abc xyz019 .,_-'\n\t\x1c“”—…éßűжя変数，。한글\ud800"), max_size=60))
def test_a_text_has_the_same_words_by_either_way(text: str) -> None:
    assert words_of(text.lower()) == WORD.findall(text.lower())


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("find the root cause.", "cause"),
        ("find the “root cause” — now", "cause"),
        ("die ursache finden", "cause"),
        ("найди причину", "cause"),
        ("请找出根本原因", "cause"),
        ("weigh the trade-offs", "analysis"),
        ("migrating the database", "design"),
    ],
)
def test_words_stems_and_phrases_name_their_concept(text: str, concept: str) -> None:
    assert counted(text)[concept] > 0


def test_a_phrase_needs_its_words_side_by_side_and_counts_once() -> None:
    assert "proof" not in counted("show me that")
    assert counted("show that a is b, and show that b is a")["proof"] == 1
