"""Untrusted JSON, read with its path; what nobody reads goes out byte for byte."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.json_reader import Fields, ShapeError


class Inner(msgspec.Struct):
    c: str | list[Raw] | None = None
    d: Raw = Raw()


class Outer(msgspec.Struct):
    b: Inner


LIST = msgspec.json.Decoder(list[Outer])


def test_what_nobody_reads_goes_out_as_it_came() -> None:
    body = b'{"b":1.50,"a":{"x":[1e5,123456789012345678901234567890]},"c":"\\u00e9"}'
    assert json_reader.encode(Fields.parse(body).raw) == body


def test_missing_and_null_are_the_same_to_optional_readers() -> None:
    fields = Fields.parse(b'{"a": null, "b":\n null ,"c": 7}')
    for key in ("a", "b", "missing"):
        assert not fields.has(key)
        assert fields.optional_text(key) is None
        assert fields.optional(key, int) is None
        assert fields.array(key) == []
        assert fields.flag(key) is False
        assert fields.text_or(key, "default") == "default"
    assert "a" in fields
    assert fields.optional("c", int) == 7


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'"x"', "string"),
        (b"  \n {}", "object"),
        (b"[1]", "array"),
        (b"true", "boolean"),
        (b"null", "null"),
        (b"-1", "number"),
        (b"", "nothing"),
    ],
)
def test_kinds(raw: bytes, kind: str) -> None:
    assert json_reader.kind_of(raw) == kind
    assert Fields.parse(b"{}").kind("missing") == "nothing"


@pytest.mark.parametrize(
    ("body", "read", "words"),
    [
        (
            b'{"a":{"b":[{"c":1}]}}',
            lambda f: [o.text("c") for o in f.fields("a").objects("b")],
            r"\$\.a\.b\[0\]\.c: expected string, got whole number",
        ),
        (b'{"a":1}', lambda f: f.fields("a"), r"\$\.a: expected object, got whole number"),
        (b'{"a":[1]}', lambda f: list(f.objects("a")), r"\$\.a\[0\]: expected object, got whole number"),
        (b"{}", lambda f: f.text("a"), r"\$\.a: is missing"),
        (b'{"a":null}', lambda f: f.need("a"), r"\$\.a: is missing"),
        (b'{"a":1.5}', lambda f: f.optional("a", int), r"\$\.a: expected whole number, got number"),
        (
            b'{"a":[{"b":{}},{"b":{"c":7}}]}',
            lambda f: f.read("a", LIST),
            r"\$\.a\[1\]\.b\.c: expected string or array, got whole",
        ),
        (b'{"a":[{}]}', lambda f: f.read("a", LIST), r"\$\.a\[0\]\.b: is missing"),
    ],
)
def test_errors_name_the_place(body: bytes, read: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        read(Fields.parse(body))


@pytest.mark.parametrize("body", [b"", b"{", b"{'a':1}", b'{"a":1}x', b"\xff", b'{"a":NaN}', b"[" * 200_000])
def test_what_is_not_json_is_told(body: bytes) -> None:
    with pytest.raises(ShapeError):
        json_reader.decode(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(rb'"a\ud83db"', "a�b", id="row-019-the-first-half"),
        pytest.param(rb'"a\ude00b"', "a�b", id="row-019-the-second-half"),
        pytest.param(rb'"\ud83d\ud83d\ude00\ude00"', "�😀�", id="halves-around-a-pair"),
        pytest.param(rb'"\\ud83d \ud83d"', r"\ud83d �", id="an-escaped-backslash-is-none"),
    ],
)
def test_half_a_surrogate_pair_becomes_a_replacement_character(text: bytes, expected: str) -> None:
    assert json_reader.decode(text) == expected
    assert Fields.parse(b'{"a":' + text + b"}").text("a") == expected


@given(st.text())
def test_any_text_survives(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert json_reader.decode(json_reader.encode(text)) == text


def test_numbers_of_any_size_survive_as_fragments() -> None:
    assert bytes(Fields.parse(b'{"n":123456789012345678901234567890}').raw["n"]) == b"123456789012345678901234567890"


def test_whole_json_is_told_from_parts() -> None:
    assert json_reader.is_json('{"a":1}')
    assert not json_reader.is_json('{"a":')
    assert not json_reader.is_json("[" * 200_000)


def test_undecoded_fields_of_a_struct() -> None:
    read = Fields.parse(b'{"a":[{"b":{"d":null}},{"b":{}},{"b":{"d": 1.50}}]}').read("a", LIST) or []
    assert [json_reader.present(one.b.d) for one in read] == [None, None, Raw(b"1.50")]
    assert Fields.parse(b'{"a":null}').read("a", LIST) is None


def test_without() -> None:
    assert Fields.parse(b'{"a":1,"b":2}').without("a") == {"b": Raw(b"2")}
