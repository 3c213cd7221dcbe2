"""Streams of lines: any cutting of the bytes gives the same frames."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.wire.framing import NDJSON, SSE, Framing, LineSplitter
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import FailureKind, UpstreamError

LINES = '{"a":"Grüße ☁"}\n\n{"b":"𝄞"}\r\n{"c":1}'.encode()


def split(content: bytes, cuts: list[int]) -> list[Frame]:
    splitter = LineSplitter()
    places = [0, *sorted(cuts), len(content)]
    frames = [frame for start, end in itertools.pairwise(places) for frame in splitter.feed(content[start:end])]
    return [*frames, *splitter.close()]


@settings(deadline=None)
@given(st.lists(st.integers(0, len(LINES)), max_size=8))
def test_however_a_stream_of_lines_is_cut(cuts: list[int]) -> None:
    assert [frame.data.strip() for frame in split(LINES, cuts)] == ['{"a":"Grüße ☁"}'.encode(), '{"b":"𝄞"}'.encode(), b'{"c":1}']


def test_a_line_beyond_the_limit_is_refused() -> None:
    splitter = LineSplitter(max_bytes=10)
    assert splitter.feed(b"0123456789") == []
    with pytest.raises(UpstreamError) as caught:
        splitter.feed(b"x")
    assert caught.value.kind is FailureKind.PROTOCOL


@pytest.mark.parametrize("framing", [SSE, NDJSON], ids=["sse", "ndjson"])
def test_what_is_framed_is_split_again(framing: Framing) -> None:
    frames = [Frame(b'{"a":1}'), Frame(b'{"b":2}')]
    splitter = framing.splitter()
    content = b"".join(framing.framed(frame) for frame in frames)
    assert splitter.feed(content) == frames
    assert content.endswith(framing.ends)
