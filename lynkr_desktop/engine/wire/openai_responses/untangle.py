"""One output item of an answer under construction: events of the vendor in, canonical events out, in order. Pure.

Parts open with their first words, so that what stays empty never was.
"""

from collections.abc import Mapping, Sequence

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Opened,
    OpenOpaque,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Signed,
    StreamEvent,
)
from lynkr_desktop.engine.chat.request import Native
from lynkr_desktop.engine.wire.naming import digest
from lynkr_desktop.engine.wire.openai_responses.seals import marked
from lynkr_desktop.engine.wire.openai_responses.tools import NAME, TOOL_SEARCH, freeform_arguments, joined
from lynkr_desktop.json_reader import Fields

_FREEFORM_HEAD, _FREEFORM_TAIL = '{"input":"', '"}'


class OutputItem:
    """An item as far as it is known. `take` gives what came since the last time."""

    def __init__(self, seed: str, tool_names: Mapping[str, str], call_ids: set[str]) -> None:
        self.is_over = False
        self.is_call = False
        self.is_refusal = False
        self._seed = seed  # unlike that of any other item; a missing call id is made from it
        self._tool_names = tool_names
        self._call_ids = call_ids  # of all calls of the answer: each id once
        self._ready: list[StreamEvent] = []
        self._part: int | None = None  # index of the open text or summary
        self._said: set[int] = set()  # indexes of texts that have been begun
        self._is_open = False  # thinking or a call
        self._is_custom = False
        self._early: list[str] = []  # arguments that came before the call's name
        self._has_arguments = False

    def take(self) -> Sequence[StreamEvent]:
        """The events since the last time."""
        ready, self._ready = self._ready, []
        return ready

    # --- what it is ---

    def describe(self, item: Fields, *, is_last: bool = False) -> None:
        """The item has begun. A call opens once its name is known; one that never gets any is `tool`."""
        named = _callee(item)
        if named is None or self._is_open or not (named or is_last):
            return
        named = named or "tool"
        self.is_call = self._is_open = True
        self._is_custom = item.text_or("type", "") == "custom_tool_call"
        call_id = item.text_or("call_id", "") or item.text_or("id", "")
        if not call_id or call_id in self._call_ids:
            call_id = f"call_{digest(f'{self._seed}:{named}', 24)}"
        self._call_ids.add(call_id)
        self._close_part()
        self._ready.append(Opened(OpenToolCall(call_id, self._tool_names.get(named, named))))
        early, self._early = "".join(self._early), []
        self.arguments(early)

    # --- what it says ---

    def text(self, index: int, words: str, *, is_refusal: bool = False) -> None:
        """More of a text, or of a refusal, which is a text too."""
        if not words:
            return
        self.is_refusal = self.is_refusal or is_refusal
        if self._part != index:
            self._shut()
            self._part = index
            self._said.add(index)
            self._ready.append(Opened(OpenText()))
        self._ready.append(Delta(words))

    def whole_text(self, index: int, words: str, *, is_refusal: bool = False) -> None:
        """A text once more, and whole: news only where no delta came."""
        if index not in self._said:
            self.text(index, words, is_refusal=is_refusal)

    def thinking(self, index: int, words: str) -> None:
        """More of a summary or of the reasoning itself; its parts are one thought, a blank line between."""
        if not words:
            return
        if not self._is_open:
            self._close_part()
            self._is_open = True
            self._ready.append(Opened(OpenThinking()))
        elif index not in self._said:
            words = f"\n\n{words}"
        self._said.add(index)
        self._ready.append(Delta(words))

    def arguments(self, words: str) -> None:
        """More of a call's arguments, or of a custom tool's free text, which goes on as the field of a function."""
        if not words:
            return
        if not self._is_open:
            self._early.append(words)
            return
        if self._is_custom:
            words = json_reader.encode(words).decode()[1:-1]
            if not self._has_arguments:
                words = _FREEFORM_HEAD + words
        self._has_arguments = True
        self._ready.append(Delta(words))

    def whole_arguments(self, words: str | None) -> None:
        """The arguments once more, and whole: news only where no delta came."""
        if not self._has_arguments and not self._early:
            self.arguments(words or "")

    # --- its end ---

    def end(self, item: Fields) -> None:
        """The item is whole; it says everything again."""
        if self.is_over:
            return
        self.describe(item, is_last=True)
        kind = item.text_or("type", "")
        is_complete = item.text_or("status", "completed") != "incomplete"
        match kind:
            case "message":
                for index, part in enumerate(item.objects("content")):
                    is_refusal = part.text_or("type", "") == "refusal"
                    self.whole_text(index, part.text_or("refusal" if is_refusal else "text", ""), is_refusal=is_refusal)
            case "reasoning":
                self._end_reasoning(item)
            case _ if self.is_call:
                self._end_call(item, kind)
            case _:
                self._shut()
                self._ready += [Opened(OpenOpaque(kind, Native(NAME, item.raw))), Closed()]
        self._close(is_complete=is_complete)

    def _end_reasoning(self, item: Fields) -> None:
        if not self._said:
            for key in ("summary", "content"):
                for index, part in enumerate(item.objects(key)):
                    self.thinking(index, part.text_or("text", ""))
                if self._said:
                    break
        encrypted = item.text_or("encrypted_content", "")
        if encrypted:
            if not self._is_open:
                self._close_part()
                self._is_open = True
                self._ready.append(Opened(OpenThinking()))
            self._ready.append(Signed(marked(encrypted)))

    def _end_call(self, item: Fields, kind: str) -> None:
        if kind == "custom_tool_call":
            self.whole_arguments(item.text_or("input", ""))
            return
        key = "action" if kind == "local_shell_call" else "arguments"
        is_text = item.kind(key) == "string"
        whole = item.text(key) if is_text else bytes(item.raw[key]).decode("utf-8", "replace") if item.has(key) else ""
        self.whole_arguments(whole)

    def cut_off(self) -> None:
        """The answer is over before this item was."""
        self._close(is_complete=not self.is_call)

    def _close(self, *, is_complete: bool) -> None:
        if self.is_over:
            return
        self.is_over = True
        if self._is_custom and is_complete:
            self._ready.append(Delta(_FREEFORM_TAIL if self._has_arguments else freeform_arguments("")))
        self._close_part()
        if self._is_open:
            self._is_open = False
            self._ready.append(Closed(is_complete or not self.is_call))

    def _shut(self) -> None:
        """End whatever is open: some servers give items that follow each other one index."""
        self._close_part()
        if self._is_open:
            self._is_open = False
            self._ready.append(Closed())

    def _close_part(self) -> None:
        if self._part is not None:
            self._part = None
            self._ready.append(Closed())


def _callee(item: Fields) -> str | None:
    """The name of what a call calls; None if the item is no call that a client runs."""
    match item.text_or("type", ""):
        case "function_call" | "custom_tool_call":
            name = item.text_or("name", "")
            return joined(item.text_or("namespace", ""), name) if name else ""
        case "tool_search_call" if item.text_or("execution", "client") == "client":
            return TOOL_SEARCH
        case "local_shell_call":
            return "local_shell"
        case _:
            return None
