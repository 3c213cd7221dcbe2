"""Texts to vectors on this machine: the real model where it is installed, started, used, ended."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lynkr_desktop.engine import vectors as rooms
from lynkr_desktop.engine.providers import embedded_server
from lynkr_desktop.engine.providers.embedded import EmbeddedModel, EmbeddedState, server_command
from lynkr_desktop.engine.upstream import Upstream
from lynkr_desktop.engine.vectors import DIMENSIONS, Vectors
from lynkr_desktop.errors import UpstreamError

needs_model = pytest.mark.skipif(not embedded_server.makes_vectors(), reason="the extra 'vectors' is not installed")


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the weights are written, once for all tests."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
async def vectors(folder: Path) -> AsyncIterator[Vectors]:
    upstream = Upstream()
    upstream.open()
    vectors = Vectors(upstream, folder)
    yield vectors
    await vectors.stop()
    await upstream.close()


@needs_model
async def test_what_means_the_same_is_near_and_what_does_not_is_far(vectors: Vectors) -> None:
    question, same, other, again = await vectors.embed(
        [
            "How do I sort a list in Python?",
            "What is the way to order a Python array?",
            "The weather in Paris is nice.",
            "How do I sort a list in Python?",
        ]
    )
    assert [len(each) for each in (question, same, other, again)] == [DIMENSIONS] * 4
    assert math.isclose(likeness(question, question), 1, abs_tol=1e-4)
    assert likeness(question, again) > 0.999
    # As the model's makers' own program gives them, to two places: 0.64 and 0.03.
    assert math.isclose(likeness(question, same), 0.637, abs_tol=0.01)
    assert math.isclose(likeness(question, other), 0.027, abs_tol=0.01)


@needs_model
async def test_a_long_text_is_cut_where_the_model_ends_and_that_is_told(vectors: Vectors) -> None:
    beginning = "Sort a list of numbers in Python. " * 80
    made = await vectors.make([beginning + "The weather is nice. " * 2000, beginning, "kurz", "漢字" * 300, ""])
    assert made.is_cut
    assert len(made.answer.vectors) == 5
    assert made.answer.vectors[0] == made.answer.vectors[1]
    assert not (await vectors.make(["word " * 300])).is_cut
    assert (await vectors.make(["Hello there."])).answer.tokens == 5  # with the marks of beginning and end


@needs_model
async def test_more_texts_than_one_call_takes_keep_their_order(vectors: Vectors) -> None:
    texts = [f"Text number {number}." for number in range(70)]
    many = await vectors.embed(texts)
    (last,) = await vectors.embed(texts[-1:])
    assert len(many) == 70
    assert likeness(many[69], last) > 0.999


@needs_model
async def test_the_process_ends_when_idle_and_starts_again(
    folder: Path, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = asyncio.Event()

    def changed(state: EmbeddedState) -> None:
        if state is EmbeddedState.STOPPED:
            stopped.set()

    upstream = Upstream()
    upstream.open()
    command = server_command("vectors", str(folder / embedded_server.VECTORS_FILE))
    model = EmbeddedModel(command, changed)
    mine = Vectors(upstream, folder, model)
    monkeypatch.setattr(rooms, "IDLE_SECONDS", 0.0)
    first = (await mine.embed(["a"]))[0]
    async with asyncio.timeout(20):
        await stopped.wait()
    assert model.address is None
    assert likeness(first, (await mine.embed(["a"]))[0]) > 0.999
    await mine.stop()
    await upstream.close()


@needs_model
async def test_its_weights_are_written_once_and_whole(folder: Path, vectors: Vectors) -> None:
    await vectors.embed(["a"])
    file = folder / embedded_server.VECTORS_FILE
    written = file.stat().st_mtime_ns
    await vectors.stop()
    await vectors.embed(["b"])
    assert file.stat().st_mtime_ns == written
    assert [each.name for each in folder.iterdir()] == [file.name]


async def test_without_the_model_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_server, "makes_vectors", lambda: False)
    vectors = Vectors(Upstream(), tmp_path)
    assert not vectors.is_available()
    with pytest.raises(UpstreamError, match="vectors"):
        await vectors.embed(["a"])
