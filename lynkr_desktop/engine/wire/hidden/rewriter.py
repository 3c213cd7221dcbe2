"""Events → events: each text part is read anew, and what was hidden in it becomes parts of its own. Pure; obeys the grammar."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Started,
    StopReason,
    StreamEvent,
)
from lynkr_desktop.engine.wire.hidden.known_tools import Call
from lynkr_desktop.engine.wire.hidden.pieces import Piece, Pieces, Repeated, Said, Thought
from lynkr_desktop.engine.wire.hidden.source import Source
from lynkr_desktop.engine.wire.naming import digest

_DONE: Final = frozenset({StopReason.END, StopReason.STOP_SEQUENCE})


class Rewriter:
    """One answer. `read` reads a text part, or gives None to leave it alone; it is told whether it is the first part."""

    def __init__(self, read: "Callable[[Source, bool], Pieces | None]") -> None:
        self._read = read
        self._source = Source()
        self._pieces: Pieces | None = None  # of the text part that is being read
        self._open: type[OpenText | OpenThinking] | None = None
        self._words: list[str] = []  # of the open part, not yet given on
        self._blank = ""  # white space that opens nothing; it waits for the first word
        self._has_other = False  # something other than text was found in this part
        self._is_first = True
        self._answer_id = ""
        self._calls = 0
        self._repeated = ""

    def feed(self, events: Sequence[StreamEvent]) -> list[StreamEvent]:
        """The same events, but for what was hidden in their text."""
        out: list[StreamEvent] = []
        for event in events:
            match event:
                case Delta(text=text) if self._pieces is not None:
                    self._source.add(text)
                    self._go_on(out)
                case Opened():
                    self._opened(event, out)
                case Closed() if self._pieces is not None:
                    self._closed(out)
                case Finished():
                    out.extend(self._finished(event))
                case Started(id=answer_id):
                    self._answer_id = answer_id
                    out.append(event)
                case _:
                    out.append(event)
        return out

    def _opened(self, event: Opened, out: list[StreamEvent]) -> None:
        self._repeated = ""
        if isinstance(event.part, OpenText):
            self._source = Source()
            self._pieces = self._read(self._source, self._is_first)
            self._blank, self._has_other = "", False
        if self._pieces is None:
            out.append(event)
        self._is_first = False

    def _closed(self, out: list[StreamEvent]) -> None:
        self._source.is_ended = True
        self._go_on(out)
        self._close(out)
        if self._blank and not self._has_other:
            out += (Opened(OpenText()), Delta(self._blank), Closed())
        self._pieces = None

    def _go_on(self, out: list[StreamEvent]) -> None:
        """As far as the text allows; what belongs together goes out as one delta."""
        if self._pieces is not None:
            while (piece := next(self._pieces, None)) is not None:
                self._piece(piece, out)
        self._flush(out)

    def _piece(self, piece: Piece, out: list[StreamEvent]) -> None:
        match piece:
            case Said(text):
                self._say(OpenText, text, out)
            case Thought(text):
                self._has_other = True
                self._say(OpenThinking, text, out)
            case Repeated(text):
                self._repeated = text
            case Call(name, arguments):
                self._has_other = True
                self._close(out)
                self._blank = ""
                call_id = f"call_{digest(f'{self._answer_id}:{self._calls}:{name}:{arguments}', 24)}"
                self._calls += 1
                out += (Opened(OpenToolCall(call_id, name)), Delta(arguments), Closed())

    def _say(self, kind: type[OpenText | OpenThinking], text: str, out: list[StreamEvent]) -> None:
        if self._open is not kind:
            if self._open is not None:
                self._close(out)
            text = self._blank + text
            self._blank = text if text.isspace() else ""
            if self._blank:
                return
            text = text.lstrip() if self._has_other else text
            out.append(Opened(kind()))
            self._open = kind
        self._words.append(text)

    def _flush(self, out: list[StreamEvent]) -> None:
        if self._words:
            out.append(Delta("".join(self._words)))
            self._words.clear()

    def _close(self, out: list[StreamEvent]) -> None:
        self._flush(out)
        if self._open is not None:
            out.append(Closed())
            self._open = None

    def _finished(self, event: Finished) -> Sequence[StreamEvent]:
        if self._repeated and event.reason is StopReason.END:
            return (Opened(OpenText()), Delta(self._repeated), Closed(), event)
        if self._calls and event.reason in _DONE:
            return (msgspec.structs.replace(event, reason=StopReason.TOOL_CALLS, stop_sequence=None),)
        return (event,)
