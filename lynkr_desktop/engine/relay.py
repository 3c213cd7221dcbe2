"""From the first content on: an answer's bytes to the client. Nothing is tried again here; a failure becomes an error event."""

from collections.abc import AsyncGenerator, Callable, Sequence

from lynkr_desktop.engine.answer import Answer, Piece
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.wire.contract import Wire
from lynkr_desktop.engine.wire.table import framing_of
from lynkr_desktop.errors import BusyError, UpstreamError

Listener = Callable[[Piece], None]


class WholeFrames:
    """Passes bytes on up to the end of the last whole frame, so that an error event never lands inside a broken one."""

    def __init__(self, ends: Sequence[bytes]) -> None:
        self._ends = ends
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may go out now."""
        text = self._rest + chunk if self._rest else chunk
        cut = max((place + len(end) for end in self._ends if (place := text.rfind(end)) >= 0), default=0)
        self._rest = text[cut:]
        return text[:cut]

    def close(self) -> bytes:
        """What is left of a stream that ended well without the end of its last frame."""
        rest, self._rest = self._rest, b""
        return rest


async def verbatim(answer: Answer, request: ChatRequest, client_wire: Wire, heard: Listener) -> AsyncGenerator[bytes]:
    """The provider's own bytes. `heard` listens to what they mean. Raises the failure after having told the client."""
    framing = framing_of(answer.prepared.wire.NAME)
    whole = WholeFrames(framing.ends)
    is_usage_added, is_reframed = answer.prepared.is_usage_added, bool(answer.prepared.framing)
    try:
        async for piece in answer.pieces():
            heard(piece)
            ready = b"" if is_reframed else whole.feed(piece.chunk)
            if is_reframed or piece.is_cut or (is_usage_added and any(client_wire.is_added(frame) for frame in piece.frames)):
                kept = (frame for frame in piece.frames if not (is_usage_added and client_wire.is_added(frame)))
                ready = b"".join(framing.framed(frame) for frame in kept)
            if ready:
                yield ready
        if rest := whole.close():
            yield rest + framing.ends[0]
    except (UpstreamError, BusyError) as error:
        yield client_wire.stream_renderer(request).error(error)
        raise


async def translated(answer: Answer, request: ChatRequest, client_wire: Wire, heard: Listener) -> AsyncGenerator[bytes]:
    """The answer in the client's wire, one write for each read. Raises the failure after having told the client."""
    renderer = client_wire.stream_renderer(request)
    try:
        async for piece in answer.pieces():
            heard(piece)
            if piece.events and (ready := renderer.feed(piece.events)):
                yield ready
    except (UpstreamError, BusyError) as error:
        yield renderer.error(error)
        raise
