"""Messages of a Chat Completions request: own ones as they came, others translated. Knows nothing of the top level."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

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
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks
from lynkr_desktop.engine.wire.naming import ToolNames, fitting
from lynkr_desktop.engine.wire.openai_chat.request_in import NAME, is_text, reasoning_text
from lynkr_desktop.json_reader import Fields

ID_LIMIT: Final = 40
NO_RESULT: Final = "There is no result of this call in the conversation."
_BILLING: Final = "x-anthropic-billing-header:"
# An empty text is refused as if it were missing (DeepSeek and Moonshot, 2026-02).
LOST_REASONING: Final = "The reasoning of this turn was not kept."
_REASONING_KEYS: Final = ("reasoning_content", "reasoning", "reasoning_details")


class MessageRenderer:
    """Renders messages and tells `losses` what was left out."""

    def __init__(self, quirks: Quirks, names: ToolNames, losses: list[str]) -> None:
        self._quirks = quirks
        self._names = names
        self._losses = losses

    def translated(self, request: ChatRequest) -> list[Any]:
        """All messages of a request of another wire, the system first."""
        rendered = self.system(request.system)
        for message in _gathered(request.messages):
            rendered.extend(self._anew(message))
        return self._paired(rendered)

    def _paired(self, messages: list[Any]) -> list[Any]:
        """Each call answered right after it, and nothing answered that was not called: servers refuse anything else."""
        paired: list[Any] = []
        waiting: list[str] = []
        for message in messages:
            if message["role"] == "tool":
                if message["tool_call_id"] not in waiting:
                    self._losses.append("a tool result without its call")
                    continue
                waiting.remove(message["tool_call_id"])
            else:
                paired.extend(self._missing(waiting))
                waiting = [call["id"] for call in message.get("tool_calls") or ()]
            paired.append(message)
        return paired + self._missing(waiting)

    def _missing(self, waiting: list[str]) -> list[Any]:
        if waiting:
            self._losses.append("a missing tool result was added")
        return [{"role": "tool", "tool_call_id": call_id, "content": NO_RESULT} for call_id in waiting]

    def system(self, parts: Sequence[TextPart]) -> list[Any]:
        """One system message, or none. A leading billing line of Claude Code is left out: it changes with each request, so
        that no prompt would ever be found in a provider's cache."""
        if parts and parts[0].text.startswith(_BILLING):
            parts = parts[1:]
        content = self._texts(parts)
        return [{"role": "system", "content": content}] if content else []

    def _texts(self, parts: Iterable[TextPart], joint: str = "\n\n") -> Any:
        """Texts as one string, the form that every server takes; as parts only where cache markers are to be kept."""
        parts = [part for part in parts if part.text.strip()]
        if not any(_marker(part.native) for part in parts):
            return joint.join(part.text for part in parts)
        if not self._quirks.takes_cache_markers:
            self._losses.append("cache markers")
            return joint.join(part.text for part in parts)
        return [self._content_part(part) for part in parts]

    def _content_part(self, part: TextPart | ImagePart | DocumentPart) -> dict[str, Any]:
        match part:
            case TextPart(text=text):
                rendered: dict[str, Any] = {"type": "text", "text": text}
            case ImagePart(media_type=media_type, base64=base64, url=url):
                address = url if base64 is None else f"data:{media_type or 'image/png'};base64,{base64}"
                rendered = {"type": "image_url", "image_url": {"url": address}}
            case DocumentPart():
                rendered = self._document(part)
        if _marker(part.native):
            if self._quirks.takes_cache_markers:
                rendered["cache_control"] = _marker(part.native)
            else:
                self._losses.append("cache markers")
        return rendered

    def _document(self, part: DocumentPart) -> dict[str, Any]:
        fragment = part.native.fragment if part.native is not None else {}
        self._losses.extend(f"document {key}" for key in ("context", "citations") if key in fragment)
        if part.text is not None:
            return {"type": "text", "text": f"{part.title}\n\n{part.text}" if part.title else part.text}
        if not self._quirks.takes_images:
            raise CannotCarryError("this model takes no documents")
        if part.base64 is None:
            raise CannotCarryError("this provider cannot fetch a document from an address")
        media_type = part.media_type or "application/pdf"
        name = part.title or f"document.{media_type.rpartition('/')[2]}"
        return {"type": "file", "file": {"filename": name, "file_data": f"data:{media_type};base64,{part.base64}"}}

    def _assistant(self, parts: Sequence[Part]) -> list[Any]:
        texts: list[TextPart] = []
        calls: list[Any] = []
        reasoning: list[str] = []
        for part in parts:
            match part:
                case TextPart():
                    if calls and part.text.strip():
                        self._losses.append("the order of text and tool calls")
                    texts.append(part)
                case ToolCallPart():
                    calls.append(self._call(part))
                case ThinkingPart():
                    self._keep_reasoning(part, reasoning)
                case OpaquePart(kind=kind):
                    self._losses.append(f"{kind} content")
                case _:
                    self._losses.append("an attachment of the assistant")
        content = self._texts(texts)
        if not content and not calls:
            return []
        message: dict[str, Any] = {"role": "assistant", "content": content or None}
        self._put_reasoning(message, reasoning, has_calls=bool(calls))
        if calls:
            message["tool_calls"] = calls
        return [message]

    def _put_reasoning(self, message: dict[str, Any], kept: list[str], *, has_calls: bool) -> None:
        if kept:
            message["reasoning_content"] = "\n".join(kept)
        elif has_calls and self._quirks.needs_reasoning_content:
            message["reasoning_content"] = LOST_REASONING
            self._losses.append("reasoning that the client did not send back")

    def _keep_reasoning(self, part: ThinkingPart, kept: list[str]) -> None:
        if part.text and self._quirks.takes_reasoning_content:
            kept.append(part.text)
            if part.signature:
                self._losses.append("thinking signature")
        else:
            self._losses.append("thinking")

    def _call(self, part: ToolCallPart) -> dict[str, Any]:
        function = {"name": self._names(part.name), "arguments": part.arguments if part.arguments.strip() else "{}"}
        return {"id": _short(part.id), "type": "function", "function": function}

    def _user(self, parts: Sequence[Part]) -> list[Any]:
        """Tool messages first, one for each result; then what their media and the user's own words are, as one message."""
        rendered: list[Any] = []
        media: list[TextPart | ImagePart | DocumentPart] = []
        content: list[TextPart | ImagePart | DocumentPart] = []
        for part in parts:
            match part:
                case ToolResultPart():
                    rendered.append(self._result(part, media))
                case TextPart():
                    if part.text.strip():
                        content.append(part)
                case ImagePart() | DocumentPart():
                    content.append(part)
                case OpaquePart(kind=kind):
                    self._losses.append(f"{kind} content")
                case _:
                    self._losses.append("an assistant's part in a user turn")
        message = self._user_message([*media, *content])
        return rendered if message is None else [*rendered, message]

    def _user_message(self, parts: list[TextPart | ImagePart | DocumentPart]) -> Any:
        if not parts:
            return None
        texts = [part for part in parts if isinstance(part, TextPart)]
        if len(texts) == len(parts):
            return {"role": "user", "content": self._texts(texts)}
        return {"role": "user", "content": [self._content_part(part) for part in parts]}

    def _result(self, part: ToolResultPart, media: list[TextPart | ImagePart | DocumentPart]) -> dict[str, Any]:
        """One tool message. Pictures and files cannot be in it: they follow in the user's message, after a line that says so."""
        words: list[str] = []
        for inner in part.content:
            match inner:
                case TextPart(text=text):
                    words.append(text)
                case DocumentPart(text=str()):
                    words.append(self._document(inner)["text"])
                case ImagePart() | DocumentPart():
                    number = len([one for one in media if not isinstance(one, TextPart)]) + 1
                    label = f"attachment {number} of the tool results"
                    words.append(f"[{label}: see the next user message]")
                    media.extend((TextPart(f"[{label}]"), inner))
                case OpaquePart(kind=kind):
                    words.append(self._opaque_words(inner))
                    self._losses.append(f"{kind} content")
        if part.is_error:
            self._losses.append("the mark of a failed tool call")
        if _marker(part.native):
            self._losses.append("cache markers")
        text = "\n".join(word for word in words if word)
        return {"role": "tool", "tool_call_id": _short(part.call_id), "content": text}

    def _opaque_words(self, part: OpaquePart) -> str:
        """Claude Code's tool search answers with references to tools, all of which this wire has sent anyway."""
        if part.kind != "tool_reference" or not is_text(part.native.fragment.get("tool_name")):
            return ""
        name = bytes(part.native.fragment["tool_name"]).decode("utf-8", "replace").strip('"')
        return f"The tool {self._names(name)} is available."

    def own(self, messages: Iterable[Message], unedited: Iterable[Message]) -> list[Any]:
        """Messages of this wire: those that nobody edited as they came."""
        kept = {id(message) for message in unedited}
        rendered: list[Any] = []
        for message in messages:
            fragment = own_fragment(message.native) if id(message) in kept else None
            rendered.extend(self._edited(message) if fragment is None else [fragment])
        return rendered

    def _edited(self, message: Message) -> list[Any]:
        """A message of this wire: its own keys, with content and calls built from its parts as they are now."""
        fragment = own_fragment(message.native)
        if fragment is None:
            return self._anew(message)
        rendered: dict[str, Any] = {**fragment}
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        if results:
            if results[0].native is None:
                rendered["content"] = self._result(results[0], [])["content"]
            return [rendered]
        self._put_content(rendered, message)
        if message.role == "assistant":
            self._put_calls(rendered, message.parts)
            if not any(isinstance(part, ThinkingPart) for part in message.parts) and reasoning_text(Fields(fragment)):
                for key in _REASONING_KEYS:
                    rendered.pop(key, None)
        return [rendered]

    def _anew(self, message: Message) -> list[Any]:
        """A message that did not come in this wire."""
        if message.role == "system":
            return self.system([part for part in message.parts if isinstance(part, TextPart)])
        return self._assistant(message.parts) if message.role == "assistant" else self._user(message.parts)

    def _put_content(self, rendered: dict[str, Any], message: Message) -> None:
        """Text that was a string stays one; a list keeps the original of each part that nobody changed."""
        is_content = TextPart | ImagePart | DocumentPart
        if message.role != "assistant":
            is_content |= OpaquePart
        parts = [part for part in message.parts if isinstance(part, is_content)]
        if not parts:
            if bytes(rendered.get("content", b"null")) not in {b"null", b"[]"}:
                rendered["content"] = None if message.role == "assistant" else ""
        elif all(isinstance(part, TextPart) and part.native is None for part in parts):
            rendered["content"] = "\n\n".join(part.text for part in parts if isinstance(part, TextPart))
        else:
            rendered["content"] = [own_fragment(part.native) or self._content_part(part) for part in parts]

    def _put_calls(self, rendered: dict[str, Any], parts: Sequence[Part]) -> None:
        """Calls, those of kinds that only this wire knows among them, in their order."""
        if rendered.get("tool_calls", Raw(b"null")) == Raw(b"null"):
            return
        calls = [part for part in parts if isinstance(part, ToolCallPart | OpaquePart)]
        rendered["tool_calls"] = [
            own_fragment(call.native) or (self._call(call) if isinstance(call, ToolCallPart) else {}) for call in calls
        ]


def _gathered(messages: Iterable[Message]) -> Iterator[Message]:
    """Consecutive user turns as one where they hold tool results: nothing may come between a call and its results."""
    for role, turn in groupby(messages, key=lambda message: message.role):
        group = list(turn)
        if len(group) == 1:
            yield group[0]
            continue
        parts = tuple(part for message in group for part in message.parts)
        if role == "user" and any(isinstance(part, ToolResultPart) for part in parts):
            yield Message("user", parts)
        else:
            yield from group


def own_fragment(native: Native | None) -> dict[str, Raw] | None:
    """The original fragment if it is of this wire."""
    return native.fragment if native is not None and native.wire == NAME else None


def _short(call_id: str) -> str:
    return call_id if len(call_id) <= ID_LIMIT else fitting(call_id, ID_LIMIT)


def _marker(native: Native | None) -> Raw | None:
    return native.fragment.get("cache_control") if native is not None else None
