"""Estimates close enough to plan by, whatever the language, and pictures by their size."""

import base64
import json
import struct
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Native,
    OpaquePart,
    Part,
    TextPart,
    ThinkingPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.tokenizer import counted_tokens, weigher
from lynkr_desktop.engine.tokens import LONGEST_READ, estimate_tokens, image_tokens, rough_tokens, text_weight

# Counted once with OpenAI's o200k_base.
COUNTED = [
    ("The quick brown fox jumps over the lazy dog, and nobody in the village seems to mind it at all.", 22),
    ("def add(first: int, second: int) -> int:\n    return first + second\n", 19),
    ('{"name": "read_file", "arguments": {"path": "src/main.py", "limit": 200}}', 24),
    ("2026-11-22T12:07:33.123Z INFO request served status=200 ms=1834", 25),
    ("该报告描述了程序如何接收请求、对其进行评分并转发给合适的模型。", 23),
    ("В отчёте описано, как программа принимает запросы и оценивает их.", 18),
    ("이 보고서는 프로그램이 요청을 받아 평가하고 알맞은 모델로 전달하는 방법을 설명합니다.", 22),
    ("Größere Änderungen an den Einstellungen werden erst nach einer Überprüfung übernommen.", 16),
]


def request(*parts: Part, tools: tuple[Tool, ...] = (), system: tuple[TextPart, ...] = ()) -> ChatRequest:
    return ChatRequest(
        wire="anthropic", model="m", messages=(Message("user", parts),), body=b"{}", fields={}, tools=tools, system=system
    )


@pytest.mark.parametrize(("text", "counted"), COUNTED)
def test_estimates_are_near_a_real_tokenizer(text: str, counted: int) -> None:
    assert counted * 0.8 <= text_weight(text) <= counted * 1.25


@pytest.mark.parametrize(("text", "counted"), COUNTED)
def test_who_asks_gets_what_the_vocabulary_says(text: str, counted: int) -> None:
    assert counted_tokens(request(TextPart(text))) - counted_tokens(request()) == counted


@pytest.mark.parametrize("text", ["\ud800 half a pair", "<|endoftext|>", "\x00", "word " * 200_000])
def test_any_text_can_be_counted(text: str) -> None:
    assert counted_tokens(request(TextPart(text))) > counted_tokens(request())


def test_without_the_package_the_estimate_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "toktok", None)
    assert weigher.__wrapped__() is text_weight


def test_a_whole_page_is_nearer_still() -> None:
    text = " ".join(text for text, _ in COUNTED[:4])
    assert abs(text_weight(text) / sum(counted for _, counted in COUNTED[:4]) - 1) < 0.1


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_has_a_weight_and_more_text_has_hardly_less(first: str, second: str) -> None:
    assert text_weight(first) >= 0
    assert text_weight(first + " \n" + second) >= text_weight(first) * 0.9 - 2


def test_a_very_long_text_is_sampled_evenly() -> None:
    half = LONGEST_READ * 2
    text = "word " * (half // 5) + "漢" * half
    whole = half / 5 + half * 0.72
    assert text_weight(text) == pytest.approx(whole, rel=0.1)


def test_row_141_every_part_counts_and_an_empty_request_is_at_least_one() -> None:
    empty = estimate_tokens(request())
    assert empty >= 1
    words = "some words that count"
    native = Native("anthropic", {"type": Raw(b'"x"'), "text": Raw(json.dumps(words).encode())})
    for part in (
        TextPart(words),
        ThinkingPart(words),
        ToolCallPart("1", "run", json.dumps({"a": words})),
        ToolResultPart("1", (TextPart(words),)),
        DocumentPart(text=words),
        OpaquePart("x", native),
    ):
        assert estimate_tokens(request(part)) >= empty + 4, part
        assert rough_tokens(request(part)) >= empty + 4, part
    assert estimate_tokens(request(system=(TextPart(words),))) >= empty + 4
    tool = Tool("read", "Reads a file.", Raw(json.dumps({"type": "object", "properties": {"path": {"type": "string"}}}).encode()))
    assert estimate_tokens(request(tools=(tool,))) >= empty + 25


def png(width: int, height: int) -> str:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))).decode()


def jpeg(width: int, height: int) -> str:
    app = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00" + bytes(9)
    table = b"\xff\xc4" + struct.pack(">H", 4) + bytes(2)
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return base64.b64encode(b"\xff\xd8" + app + table + frame).decode()


def test_pictures_count_by_their_size() -> None:
    assert image_tokens(png(300, 250)) == 100
    assert image_tokens(jpeg(750, 200)) == 200
    assert image_tokens(png(4000, 4000)) == 1600
    assert estimate_tokens(request(ImagePart("image/png", png(300, 250)))) == estimate_tokens(request()) + 100


@pytest.mark.parametrize("encoded", [None, "", "!!!", "AAAA", base64.b64encode(b"\xff\xd8\xff").decode(), png(1, 1)[:12], "é"])
def test_a_picture_of_unknown_size_counts_as_the_largest(encoded: str | None) -> None:
    assert image_tokens(encoded) == 1600


@given(st.binary(max_size=80))
def test_no_broken_picture_breaks_the_count(noise: bytes) -> None:
    for head in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff\xe0"):
        assert 0 <= image_tokens(base64.b64encode(head + noise).decode()) <= 1600
