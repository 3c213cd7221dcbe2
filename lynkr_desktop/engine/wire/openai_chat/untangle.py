"""One part at a time out of deltas that come mixed: the state of a Chat Completions answer under construction. Pure.

The part at the head of the queue is streamed as it grows; the others are kept until it is whole. A tool call is known to be whole
when its arguments are one JSON object, or when the answer ends.
"""

from collections.abc import Mapping

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import Closed, Delta, Opened, OpenText, OpenThinking, OpenToolCall, StreamEvent
from lynkr_desktop.engine.wire.naming import digest


class _Call:
    """A tool call as far as it is known."""

    __slots__ = ("arguments", "id", "is_open", "name", "ordinal", "sent")

    def __init__(self, ordinal: int) -> None:
        self.ordinal = ordinal
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []
        self.sent = 0  # of `arguments`, already given as deltas
        self.is_open = False

    @property
    def text(self) -> str:
        return "".join(self.arguments)

    @property
    def is_whole(self) -> bool:
        text = self.text.strip()
        return text.startswith("{") and text.endswith("}") and json_reader.is_json(text)


class _Words:
    """Text or reasoning that came while a tool call was being made."""

    __slots__ = ("is_thinking", "pieces")

    def __init__(self, *, is_thinking: bool) -> None:
        self.is_thinking = is_thinking
        self.pieces: list[str] = []


class Untangler:
    """Turns deltas in any order into parts in the order in which they began."""

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self.seed = ""  # the answer's id, from which missing call ids are made
        self.is_text_open = False
        self.has_call = False
        self._tool_names = tool_names
        self._is_thinking_open = False
        self._blank = ""  # white space before the first word: part of the text once there is one
        self._queue: list[_Call | _Words] = []
        self._by_index: dict[int, _Call] = {}
        self._count = 0
        self._ids: set[str] = set()

    def text(self, piece: str, events: list[StreamEvent]) -> None:
        """More text; never empty."""
        if not self.is_text_open and self._queue and not self._drained(events):
            self._keep(piece, is_thinking=False)
            return
        if self.is_text_open:
            events.append(Delta(piece))
            return
        self._blank += piece
        if self._blank.strip():
            self._close_words(events)
            events += (Opened(OpenText()), Delta(self._blank))
            self._blank, self.is_text_open = "", True

    def thinking(self, piece: str, events: list[StreamEvent]) -> None:
        """More reasoning; never empty."""
        if self._queue and not self._drained(events):
            self._keep(piece, is_thinking=True)
            return
        if not self._is_thinking_open:
            self._close_words(events)
            events.append(Opened(OpenThinking()))
            self._is_thinking_open = True
        events.append(Delta(piece))

    def index_for(self, call_id: str, name: str, position: int) -> int:
        """The index of a fragment that has none: a new call if it brings an id or a name that is not known, else the last one."""
        for index, call in self._by_index.items():
            if call_id and call.id == call_id:
                return index
        if call_id or name or not self._by_index:
            return max(self._by_index, default=-1) + 1
        return max(self._by_index) if position == 0 else position

    def call(self, index: int, call_id: str, name: str, arguments: str, events: list[StreamEvent]) -> None:
        """A fragment of a tool call. Servers may repeat id and name in each; another one under the same index is another call."""
        call = self._by_index.get(index)
        if call is None or _is_another(call, call_id, name):
            if call is None and not (call_id or name or arguments):
                return
            call = self._by_index[index] = _Call(self._count)
            self._count += 1
            self._queue.append(call)
        call.id = call.id or call_id
        call.name = call.name or name
        if arguments:
            call.arguments.append(arguments)
        self._advance(events)

    def _keep(self, piece: str, *, is_thinking: bool) -> None:
        last = self._queue[-1]
        if not isinstance(last, _Words) or last.is_thinking is not is_thinking:
            last = _Words(is_thinking=is_thinking)
            self._queue.append(last)
        last.pieces.append(piece)

    def _drained(self, events: list[StreamEvent]) -> bool:
        """Is every call so far whole, and given?"""
        while self._queue:
            head = self._queue[0]
            if isinstance(head, _Call) and not (head.name and head.is_whole):
                return False
            self._give(self._queue.pop(0), events)
        return True

    def _advance(self, events: list[StreamEvent]) -> None:
        """Stream the head; behind it something waits, so a head that is whole makes way."""
        while self._queue:
            head = self._queue[0]
            if isinstance(head, _Call):
                if not head.name:
                    return
                self._stream(head, events)
                if len(self._queue) == 1 or not head.is_whole:
                    return
            self._give(self._queue.pop(0), events)

    def _stream(self, call: _Call, events: list[StreamEvent]) -> None:
        if not call.is_open:
            self._close_words(events)
            self._blank = ""
            self.has_call = call.is_open = True
            call.id = self._id(call)
            events.append(Opened(OpenToolCall(call.id, self._tool_names.get(call.name, call.name))))
        fresh = "".join(call.arguments[call.sent :])
        call.sent = len(call.arguments)
        if fresh:
            events.append(Delta(fresh))

    def _id(self, call: _Call) -> str:
        """The call's id; one made from the answer's id where the server gave none, or one that it had given before."""
        made = f"call_{digest(f'{self.seed}:{call.ordinal}:{call.name}', 24)}"
        chosen = call.id if call.id and call.id not in self._ids else made
        self._ids.add(chosen)
        return chosen

    def _give(self, part: _Call | _Words, events: list[StreamEvent], *, is_complete: bool = True) -> None:
        """The rest of a part. A call ends with it; words stay open for more."""
        if isinstance(part, _Call):
            self._stream(part, events)
            events.append(Closed(is_complete))
            return
        text = "".join(part.pieces)
        if text.strip():
            self._close_words(events)
            events += (Opened(OpenThinking() if part.is_thinking else OpenText()), Delta(text))
            self.is_text_open, self._is_thinking_open = not part.is_thinking, part.is_thinking

    def _close_words(self, events: list[StreamEvent]) -> None:
        if self.is_text_open or self._is_thinking_open:
            events.append(Closed())
        self.is_text_open = self._is_thinking_open = False

    def end(self, events: list[StreamEvent], *, is_cut: bool) -> None:
        """The answer is over: give what was kept. `is_cut`: by a limit, so that the last call may be half."""
        for part in self._queue:
            if isinstance(part, _Call) and not part.name:
                part.name = f"tool_{part.ordinal}"
            is_half = is_cut and part is self._queue[-1] and isinstance(part, _Call) and not part.is_whole
            self._give(part, events, is_complete=not is_half)
        self._queue.clear()
        self._close_words(events)


def _is_another(call: _Call, call_id: str, name: str) -> bool:
    if call_id and call.id:
        return call_id != call.id
    if name and call.name:
        return name != call.name or call.is_whole
    return False
