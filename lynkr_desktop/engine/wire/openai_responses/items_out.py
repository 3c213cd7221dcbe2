"""Messages → input items: own ones as they came, others translated. Knows nothing of the top level."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks
from lynkr_desktop.engine.wire.naming import ToolNames, fitting
from lynkr_desktop.engine.wire.openai_responses.items_in import is_string, own_fragment
from lynkr_desktop.engine.wire.openai_responses.seals import unmarked
from lynkr_desktop.engine.wire.openai_responses.tools import Callee, Form, callees_of, freeform_text
from lynkr_desktop.json_reader import Fields

ID_LIMIT: Final = 64
NO_RESULT: Final = "There is no result of this call in the conversation."
_BILLING: Final = "x-anthropic-billing-header:"


class ItemRenderer:
    """Renders conversations and tells `losses` what was left out. `is_kept` says that OpenAI keeps the items by their ids."""

    def __init__(self, request: ChatRequest, quirks: Quirks, names: ToolNames, losses: list[str], *, is_kept: bool) -> None:
        self._request = request
        self._quirks = quirks
        self._names = names
        self._losses = losses
        self._is_kept = is_kept
        self._callees = callees_of(request)
        self._custom_calls = {
            part.id
            for message in (request.messages if self._callees else ())
            for part in message.parts
            if isinstance(part, ToolCallPart) and self._is_custom(part.name)
        }

    def _is_custom(self, name: str) -> bool:
        callee = self._callees.get(name)
        return callee is not None and callee.form is Form.CUSTOM

    def translated(self) -> list[Any]:
        """The conversation of a request of another wire; without its leading system."""
        return self._paired([item for message in self._request.messages for item in self._anew(message)])

    def own(self) -> list[Any]:
        """The conversation of a request of this wire: the original of everything that nobody changed."""
        return [item for message in self._request.messages for item in self._own(message)]

    def _own(self, message: Message) -> list[Any]:
        fragment = own_fragment(message.native)
        if fragment is not None:
            return [{**fragment, "content": self._own_content(message.parts, fragment)}]
        if message.role != "assistant" and not any(isinstance(part, ToolResultPart) for part in message.parts):
            return self._anew(message)
        items: list[Any] = []
        previous: Part | None = None
        for part in message.parts:
            original = own_fragment(part.native)
            if original is None or not _is_whole(part, message.parts):
                items.extend(self._anew(Message(message.role, (part,))))
            elif previous is None or part.native is not previous.native:  # several texts of one item share it
                items.append(self._without_lost_id(part, original))
            previous = part
        return items

    def _own_content(self, parts: Sequence[Part], fragment: dict[str, Any]) -> Any:
        first = parts[0] if len(parts) == 1 else None
        if isinstance(first, TextPart) and first.native is None and is_string(fragment.get("content")):
            return first.text
        return [each for part in parts if (each := own_fragment(part.native) or self._content(part)) is not None]

    def _without_lost_id(self, part: Part, fragment: dict[str, Any]) -> dict[str, Any]:
        """Reasoning that OpenAI neither keeps nor gets back encrypted is looked for by its id, and the request fails."""
        if is_lost(part) and not self._is_kept:
            self._losses.append("the id of reasoning that is not kept")
            return {key: value for key, value in fragment.items() if key != "id"}
        return fragment

    def _anew(self, message: Message) -> list[Any]:
        match message.role:
            case "assistant":
                return self._assistant(message.parts)
            case "system":
                return developer([part for part in message.parts if isinstance(part, TextPart)])
            case "user":
                return self._user(message.parts)

    def _assistant(self, parts: Iterable[Part]) -> list[Any]:
        items: list[Any] = []
        for part in parts:
            match part:
                case TextPart(text=text):
                    if text.strip():
                        items.append(_message("assistant", [{"type": "output_text", "text": text}]))
                case ToolCallPart():
                    items.append(self._call(part))
                case ThinkingPart(text=text, signature=signature):
                    if (sealed := unmarked(signature)) is None:
                        self._losses.append("thinking")
                    else:
                        summary = [{"type": "summary_text", "text": text}] if text else []
                        items.append({"type": "reasoning", "summary": summary, "encrypted_content": sealed})
                case OpaquePart(kind=kind):
                    self._losses.append(f"{kind} content")
                case _:
                    self._losses.append("an attachment of the assistant")
        while items and items[-1]["type"] == "reasoning":  # OpenAI refuses reasoning that led to nothing
            self._losses.append("thinking")
            items.pop()
        return items

    def _call(self, part: ToolCallPart) -> dict[str, Any]:
        callee = self._callees.get(part.name)
        if callee is not None and self._is_custom(part.name):
            body: dict[str, Any] = {"type": "custom_tool_call", "call_id": _short(part.id), **_named(callee)}
            return {**body, "input": freeform_text(part.arguments)}
        named = {"name": self._names(part.name)} if callee is None else _named(callee)
        arguments = part.arguments if part.arguments.strip() else "{}"
        return {"type": "function_call", "call_id": _short(part.id), **named, "arguments": arguments}

    def _user(self, parts: Iterable[Part]) -> list[Any]:
        """The results of tools first, then what the user says."""
        items: list[Any] = []
        content: list[Any] = []
        for part in parts:
            if isinstance(part, ToolResultPart):
                items.append(self._result(part))
            elif (each := self._content(part)) is not None:
                content.append(each)
        return [*items, _message("user", content)] if content else items

    def _result(self, part: ToolResultPart) -> dict[str, Any]:
        if part.is_error:
            self._losses.append("the mark of a failed tool call")
        output: Any
        if all(isinstance(inner, TextPart) for inner in part.content):
            output = "\n".join(inner.text for inner in part.content if isinstance(inner, TextPart))
        else:
            output = [each for inner in part.content if (each := self._content(inner)) is not None]
        kind = "custom_tool_call_output" if part.call_id in self._custom_calls else "function_call_output"
        return {"type": kind, "call_id": _short(part.call_id), "output": output}

    def _content(self, part: Part) -> Any:
        """A part of the user's message or of a tool's result; None if there is nothing to say."""
        match part:
            case TextPart(text=text):
                return {"type": "input_text", "text": text} if text.strip() else None
            case ImagePart(media_type=media_type, base64=base64, url=url):
                address = url if base64 is None else f"data:{media_type or 'image/png'};base64,{base64}"
                return {"type": "input_image", "detail": "auto", "image_url": address}
            case DocumentPart():
                return self._document(part)
            case OpaquePart(kind="tool_reference", native=native) if is_string(native.fragment.get("tool_name")):
                name = bytes(native.fragment["tool_name"]).decode("utf-8", "replace").strip('"')
                return {"type": "input_text", "text": f"The tool {self._names(name)} is available."}
            case OpaquePart(kind=kind):
                self._losses.append(f"{kind} content")
            case _:
                self._losses.append("an assistant's part in a user turn")
        return None

    def _document(self, part: DocumentPart) -> dict[str, Any]:
        if part.text is not None:
            return {"type": "input_text", "text": f"{part.title}\n\n{part.text}" if part.title else part.text}
        if not self._quirks.takes_images:
            raise CannotCarryError("this model takes no documents")
        if part.base64 is None:
            return {"type": "input_file", "file_url": part.url or ""}
        media_type = part.media_type or "application/pdf"
        name = part.title or f"document.{media_type.rpartition('/')[2]}"
        return {"type": "input_file", "filename": name, "file_data": f"data:{media_type};base64,{part.base64}"}

    def _paired(self, items: list[Any]) -> list[Any]:
        """Each call answered once, and nothing answered that was not called: OpenAI refuses anything else.

        A result that comes twice keeps its first place and its last words.
        """
        called = {item["call_id"] for item in items if item["type"] in _CALLS}
        results = {item["call_id"]: item for item in items if item["type"] in _RESULTS}
        paired: list[Any] = []
        for index, item in enumerate(items):
            if item["type"] in _RESULTS:
                result = results.pop(item["call_id"], None)
                if item["call_id"] not in called:
                    self._losses.append("a tool result without its call")
                elif result is not None:
                    paired.append(result)
                continue
            paired.append(item)
            is_last_call = item["type"] in _CALLS and (index + 1 == len(items) or items[index + 1]["type"] not in _CALLS)
            if is_last_call:
                paired.extend(self._missing(paired, results))
        return paired

    def _missing(self, items: list[Any], results: dict[str, Any]) -> list[Any]:
        """Results for the calls that end a list, where none comes later."""
        missing: list[Any] = []
        for item in reversed(items):
            if item["type"] not in _CALLS:
                break
            if item["call_id"] not in results:
                missing.append({"type": _CALLS[item["type"]], "call_id": item["call_id"], "output": NO_RESULT})
        if missing:
            self._losses.append("a missing tool result was added")
        return missing[::-1]


_CALLS: Final = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_RESULTS: Final = frozenset(_CALLS.values())


def _is_whole(part: Part, parts: Sequence[Part]) -> bool:
    """Are all texts of a part's item still there, so that the item may go out as it came?"""
    if not isinstance(part, TextPart) or part.native is None or json_reader.kind_of(part.native.fragment["content"]) != "array":
        return True
    return sum(each.native is part.native for each in parts) == len(Fields(part.native.fragment).array("content"))


def is_lost(part: Part) -> bool:
    """Is this reasoning of this wire with an id, but not in the encrypted form that needs nobody's memory?"""
    return isinstance(part, ThinkingPart) and not part.signature and "id" in (own_fragment(part.native) or {})


def instructions_of(parts: Sequence[TextPart]) -> str:
    """System texts as one. A leading billing line of Claude Code is left out: it changes with each request, so that no prompt
    would ever be found in a provider's cache."""
    if parts and parts[0].text.startswith(_BILLING):
        parts = parts[1:]
    return "\n\n".join(part.text for part in parts if part.text.strip())


def developer(parts: Sequence[TextPart]) -> list[Any]:
    """What the system says in the middle of a conversation; nothing if it says nothing."""
    content = [{"type": "input_text", "text": part.text} for part in parts if part.text.strip()]
    return [_message("developer", content)] if content else []


def _message(role: str, content: list[Any]) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": content}


def _named(callee: Callee) -> dict[str, str]:
    return {"name": callee.name} | ({"namespace": callee.namespace} if callee.namespace else {})


def _short(call_id: str) -> str:
    return call_id if 0 < len(call_id) <= ID_LIMIT else fitting(call_id or "call", ID_LIMIT)
