"""The splitter against the standard's rules, at every cut."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.wire.sse import Frame, SseSplitter
from lynkr_desktop.errors import UpstreamError


def split(*pieces: bytes) -> list[Frame]:
    splitter = SseSplitter()
    return [frame for piece in pieces for frame in splitter.feed(piece)] + splitter.close()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b'data:{"a":1}\n\n', [Frame(b'{"a":1}')], id="row-086-no-space-after-the-colon"),
        pytest.param(b"data:  two\n\n", [Frame(b" two")], id="row-086-one-space-only"),
        pytest.param(b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [Frame(b"1", "a"), Frame(b"2")], id="row-088-crlf"),
        pytest.param(b"data: 1\r\rdata: 2\r\r", [Frame(b"1"), Frame(b"2")], id="row-088-cr"),
        pytest.param(b"data: 1\r\n\ndata: 2\n\r\n", [Frame(b"1"), Frame(b"2")], id="row-088-mixed"),
        pytest.param(b"data: 1\ndata: 2\n\n", [Frame(b"1\n2")], id="row-088-several-data-lines"),
        pytest.param(b"data: 1\n\ndata: last", [Frame(b"1"), Frame(b"last")], id="row-088-no-final-blank-line"),
        pytest.param(b": OPENROUTER PROCESSING\n\ndata: 1\n\n:x\n\n", [Frame(b"1")], id="row-089-comments"),
        pytest.param(b"\xef\xbb\xbfdata: 1\n\n", [Frame(b"1")], id="byte-order-mark"),
        pytest.param(b"id: 7\nretry: 10\nevent: e\ndata\n\n", [Frame(b"", "e")], id="other-fields"),
        pytest.param(b"\n\n\n\nevent: lonely\n\n", [], id="no-data"),
        pytest.param("data: é🎉\n\n".encode(), [Frame("é🎉".encode())], id="row-087-characters-of-several-bytes"),
    ],
)
def test_frames_at_every_cut(stream: bytes, expected: list[Frame]) -> None:
    assert split(stream) == expected
    assert split(*(stream[place : place + 1] for place in range(len(stream)))) == expected
    for place in range(len(stream)):
        assert split(stream[:place], stream[place:]) == expected


_LINES = st.sampled_from([b"data: x", b"data:y", b"event: e", b": c", b"data", b"id: 1", b"", b""])
_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(_LINES, _ENDS), max_size=12), st.lists(st.integers(0, 200), max_size=6))
def test_any_cutting_gives_the_same_frames(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(line + end for line, end in lines)
    places = [0, *sorted(cuts), len(stream)]
    assert split(*(stream[a:b] for a, b in itertools.pairwise(places))) == split(stream)


def test_row_092_a_huge_event_in_small_chunks() -> None:
    payload = b"x" * 2_000_000
    stream = b"data: " + payload + b"\n\n"
    pieces = [stream[place : place + 64] for place in range(0, len(stream), 64)]
    assert split(*pieces) == [Frame(payload)]


def test_an_event_without_end_is_refused() -> None:
    splitter = SseSplitter(max_bytes=1000)
    with pytest.raises(UpstreamError, match="too large"):
        for _ in range(20):
            splitter.feed(b"data: " + b"x" * 100)
