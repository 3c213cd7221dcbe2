"""Texts to vectors on this machine, by the built-in embedding model. Knows no client, no account and no settings.

For any room of the engine: `if vectors.is_available(): numbers = await vectors.embed(texts)`. The model is a process of its own,
started by the first call (about a second; once more at the very first, when its weights are written) and ended when nobody asked
for ten minutes, so no loop waits and who does not use it pays nothing. A short text takes about 10 ms. Vectors have length 1:
the likeness of two texts is the sum of the products of their numbers.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from lynkr_desktop.engine.providers import embedded_server
from lynkr_desktop.engine.providers.embedded import EmbeddedAddress, EmbeddedModel, server_command
from lynkr_desktop.engine.tasks import Tasks
from lynkr_desktop.engine.upstream import Call, Timeouts, Upstream
from lynkr_desktop.engine.wire import embeddings
from lynkr_desktop.engine.wire.embeddings import EmbeddingsAnswer, Form
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import Fields, ShapeError, encode

MODEL: Final = embedded_server.VECTORS_MODEL
DIMENSIONS: Final = 384
IDLE_SECONDS: Final = 600.0
_NAME: Final = "built-in embedding model"
_TEXTS_PER_CALL: Final = 64  # so that a large request does not keep the others waiting
_SAFE_CHARACTERS: Final = embedded_server.VECTORS_TOKENS - 2  # a token has at least one character, and two tokens are marks
_MOST_CHARACTERS: Final = 20_000  # of a longer text not even the words are told apart
_TIMEOUTS: Final = Timeouts(connect=5, first_byte=120, idle=60)
_NUMBERS: Final = msgspec.json.Decoder(list[float])


class Made(msgspec.Struct, frozen=True):
    """Vectors as they came. `is_cut`: of at least one text only the beginning was read."""

    answer: EmbeddingsAnswer
    is_cut: bool = False


class Vectors:
    """The built-in embedding model. `folder` is where its weights are written; all methods belong to one event loop."""

    def __init__(self, upstream: Upstream, folder: Path, model: EmbeddedModel | None = None) -> None:
        command = server_command(embedded_server.VECTORS_ARGUMENT, str(folder / embedded_server.VECTORS_FILE))
        self._upstream = upstream
        self._is_installed = model is not None or embedded_server.makes_vectors()
        self._model = model or EmbeddedModel(command, name=_NAME)
        self._tasks = Tasks()
        self._asking = 0
        self._idle: asyncio.TimerHandle | None = None

    def is_available(self) -> bool:
        """Is the model installed? It may be started only when it is first asked."""
        return self._is_installed

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of 384 numbers for each text, in their order; of a long text its first 512 tokens count.

        Raises `UpstreamError` if the model is not installed or does not answer.
        """
        made = await self.make(texts)
        return [_NUMBERS.decode(vector) for vector in made.answer.vectors]

    async def make(self, texts: Sequence[str]) -> Made:
        """The same with the vectors as JSON and the tokens counted, for who only hands them on."""
        if not self._is_installed:
            raise _failed("is not installed.", "Install the extra 'vectors'.")
        self._asking += 1
        try:
            address = await self._model.start()
            parts = [
                await self._made(texts[start : start + _TEXTS_PER_CALL], address)
                for start in range(0, len(texts), _TEXTS_PER_CALL)
            ]
        finally:
            self._asking -= 1
            self._rest_later()
        vectors = tuple(vector for part in parts for vector in part.answer.vectors)
        tokens = sum(part.answer.tokens or 0 for part in parts)
        return Made(EmbeddingsAnswer(vectors, tokens), any(part.is_cut for part in parts))

    async def stop(self) -> None:
        """End the model's process. A later call starts it again."""
        if self._idle is not None:
            self._idle.cancel()
        await self._tasks.end()
        await self._model.stop()

    async def _made(self, texts: Sequence[str], address: EmbeddedAddress) -> Made:
        inputs = [text if len(text) <= _SAFE_CHARACTERS else await self._cut(text, address) for text in texts]
        answer = await self._asked("/v1/embeddings", {"model": MODEL, "input": inputs}, address)
        cut = any(isinstance(each, list) and len(each) == embedded_server.VECTORS_TOKENS for each in inputs)
        return Made(embeddings.parse_answer(answer, Form.OPENAI, len(texts)), cut)

    async def _cut(self, text: str, address: EmbeddedAddress) -> list[int]:
        """A long text's tokens, as many as the model reads; the last one is the mark of the end."""
        body = await self._asked("/tokenize", {"content": text[:_MOST_CHARACTERS], "add_special": True}, address)
        try:
            tokens = Fields.parse(body).optional("tokens", list[int]) or []
        except ShapeError as error:
            raise _failed("gave no tokens.", str(error)) from None
        most = embedded_server.VECTORS_TOKENS
        return tokens if len(tokens) <= most else [*tokens[: most - 1], tokens[-1]]

    async def _asked(self, path: str, body: dict[str, Any], address: EmbeddedAddress) -> bytes:
        headers = {"content-type": "application/json", "authorization": f"Bearer {address.key}"}
        reply = await self._upstream.send(Call(f"The {_NAME}", address.base_url + path, headers, encode(body), _TIMEOUTS))
        try:
            if reply.status != 200:
                raise _failed(f"refused with {reply.status}.", (await reply.error_body()).decode("utf-8", "replace")[:300])
            return await reply.read()
        finally:
            reply.close()

    def _rest_later(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._rest)

    def _rest(self) -> None:
        if not self._asking:
            self._tasks.spawn(self._model.stop(), "stop of the embedding model")


def _failed(what: str, detail: str) -> UpstreamError:
    return UpstreamError(FailureKind.UNREACHABLE, f"The {_NAME} {what}", detail, provider="embedded")
