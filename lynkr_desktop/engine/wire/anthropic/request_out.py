"""`chat` → Anthropic Messages requests. What came in this wire goes out as it came; the rest is translated, losses declared."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Native,
    OpaquePart,
    Part,
    TextPart,
    Thinking,
    ThinkingPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.anthropic.request_in import NAME, parse_request
from lynkr_desktop.engine.wire.anthropic.turns import Block, turns
from lynkr_desktop.engine.wire.claude_thinking import fitted, is_forced, is_unsigned, lacks_thinking
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered
from lynkr_desktop.engine.wire.naming import ToolNames, fitting, losses_of
from lynkr_desktop.engine.wire.schema import object_schema

NAME_LIMIT: Final = 128
ID_LIMIT: Final = 64
_CHOICES: Final = {"auto": "auto", "required": "any", "named": "tool", "none": "none"}


def renamed(request: ChatRequest, model: str, *, asks_usage: bool) -> bytes:
    """The client's own JSON with only `model` replaced: the verbatim path."""
    return json_reader.encode({**request.fields, "model": model})


def suits(request: ChatRequest, quirks: Quirks) -> bool:
    """Can the client's own JSON go to this provider as it is?

    Not with knobs that are refused there, nor with reasoning that another provider's model gave: it bears no signature, and
    Anthropic refuses it.
    """
    if not quirks.takes_sampling and (request.temperature, request.top_p, request.top_k) != (None, None, None):
        return False
    if not quirks.takes_images and request.has_images:
        return False
    if not quirks.takes_tools and request.tools:
        return False
    if fitted(request.thinking, request.max_tokens, quirks) != request.thinking:
        return False
    if not quirks.takes_later_system and _has_later_system(request):
        return False
    if quirks.takes_unsigned_thinking:
        return True
    if lacks_thinking(request) or is_forced(request):
        return False
    return not any(is_unsigned(part) for message in request.messages for part in message.parts)


def render_request(request: ChatRequest, model: str, quirks: Quirks, *, is_streamed: bool) -> Rendered:
    """The request for a provider of this wire. Raises `CannotCarryError`."""
    if not quirks.takes_images and request.has_images:
        raise CannotCarryError("this model takes no images")
    if not quirks.takes_tools and request.tools:
        raise CannotCarryError("this model takes no tools")
    if request.wire != NAME or quirks.takes_later_system or not _has_later_system(request):
        return _Renderer(request, quirks).render(model, is_streamed=is_streamed)
    renderer = _Renderer(_with_system_first(request), quirks)
    renderer.losses.append("the place of a later system turn")
    return renderer.render(model, is_streamed=is_streamed)


def _has_later_system(request: ChatRequest) -> bool:
    return any(message.role == "system" for message in request.messages)


def _with_system_first(request: ChatRequest) -> ChatRequest:
    """System turns inside the conversation behind the system prompt: older models know no other place for them."""
    later = [part for message in request.messages if message.role == "system" for part in message.parts]
    system = (*request.system, *(part for part in later if isinstance(part, TextPart)))
    messages = tuple(message for message in request.messages if message.role != "system")
    return msgspec.structs.replace(request, system=system, messages=messages)


class _Renderer:
    """One rendering: collects losses and tool names on the way."""

    def __init__(self, request: ChatRequest, quirks: Quirks) -> None:
        self.quirks = quirks
        self.is_own = request.wire == NAME
        thinking = fitted(request.thinking, request.max_tokens, quirks) if self.is_own else request.thinking
        self.request = request if thinking == request.thinking else msgspec.structs.replace(request, thinking=thinking)
        self.asked_thinking = request.thinking
        self.origin = (request.origin or parse_request(request.body)) if self.is_own else None
        self.losses: list[str] = []
        self.names = ToolNames(NAME_LIMIT)

    def render(self, model: str, *, is_streamed: bool) -> Rendered:
        request = self.request
        if self.origin is None:
            self.losses.extend(request.unread)
            body = self._knobs(request)
        else:
            body = self._own_knobs(self.origin)
        body["model"] = model
        if self.origin is None or request.system is not self.origin.system:
            _put(body, "system", self._system())
        if self.origin is None or request.tools is not self.origin.tools:
            _put(body, "tools", self._tools())
        if "tools" not in body and not self.is_own:
            body.pop("tool_choice", None)
        body["messages"] = self._messages()
        if is_streamed or "stream" in body:
            body["stream"] = is_streamed
        self._drop_sampling(body)
        if self.is_own:
            self._check_thinking(body)
        return Rendered(json_reader.encode(body), losses_of(self.losses), self.names.renamed)

    def _own_knobs(self, origin: ChatRequest) -> dict[str, Any]:
        """The client's own top level, with the settings that were edited."""
        wanted, original = self._knobs(self.request), self._knobs(origin)
        kept = {key: value for key, value in self.request.fields.items() if key in wanted or key not in original}
        return kept | {key: value for key, value in wanted.items() if key not in original or value != original[key]}

    def _drop_sampling(self, body: dict[str, Any]) -> None:
        if self.quirks.takes_sampling:
            return
        for knob in ("temperature", "top_p", "top_k"):
            if body.pop(knob, None) is not None:
                self.losses.append(knob)

    def _check_thinking(self, body: dict[str, Any]) -> None:
        """Declare how thinking differs from what was asked, and do without it where it would be refused."""
        asked, thinking = self.asked_thinking, self.request.thinking
        if asked is not None and asked.effort is not None and (thinking is None or thinking.effort is None):
            self.losses.append("effort")
        if asked is not None and (asked.is_adaptive or asked.budget_tokens is not None):
            if thinking is None or not thinking.is_enabled:
                self._drop_thinking(body, "thinking, which this model does not do")
            elif thinking.is_adaptive != asked.is_adaptive:
                self.losses.append("adaptive thinking, a budget in its place" if asked.is_adaptive else "the thinking budget")
        if not self.quirks.takes_unsigned_thinking and lacks_thinking(self.request):
            self._drop_thinking(body, "thinking, for the turn began with another model")
        elif not self.quirks.takes_unsigned_thinking and is_forced(self.request):
            self._drop_thinking(body, "thinking, for a tool must be called")

    def _drop_thinking(self, body: dict[str, Any], loss: str) -> None:
        """Do without thinking for this request, and without the context edits that need it."""
        body.pop("thinking", None)
        self.losses.append(loss)
        management = json_reader.Fields(self.request.fields).value("context_management")
        if not isinstance(management, dict) or not isinstance(management.get("edits"), list):
            return
        edits = [edit for edit in management["edits"] if not _clears_thinking(edit)]
        body["context_management"] = {**management, "edits": edits}
        if not edits:
            del body["context_management"]

    def _knobs(self, request: ChatRequest) -> dict[str, Any]:
        """The top-level settings in this wire's words; without system, tools and messages."""
        knobs: dict[str, Any] = {"max_tokens": self._max_tokens(request)}
        if request.temperature is not None:
            knobs["temperature"] = request.temperature if self.is_own else min(request.temperature, 1.0)
            if knobs["temperature"] != request.temperature:
                self.losses.append("temperature above 1")
        knobs["top_p"], knobs["top_k"] = request.top_p, request.top_k
        if request.stop:
            knobs["stop_sequences"] = list(request.stop) if self.is_own else self._stop(request)
        if request.tool_choice is not None:
            knobs["tool_choice"] = self._tool_choice(request.tool_choice)
        if request.user is not None:
            knobs["metadata"] = {"user_id": request.user if self.is_own else request.user[:256]}
        knobs.update(self._thinking(request.thinking))
        self._output_config(request, knobs)
        return {key: value for key, value in knobs.items() if value is not None and value != []}

    def _max_tokens(self, request: ChatRequest) -> int | None:
        if request.max_tokens is not None or self.is_own:
            return request.max_tokens
        self.losses.append(f"max_tokens was missing, {self.quirks.default_max_tokens} sent")
        return self.quirks.default_max_tokens

    def _stop(self, request: ChatRequest) -> list[str]:
        stops = [stop for stop in request.stop if stop.strip()]  # the API refuses those of white space alone
        if len(stops) < len(request.stop):
            self.losses.append("stop sequences of white space")
        return stops

    def _tool_choice(self, choice: ToolChoice) -> dict[str, Any]:
        rendered: dict[str, Any] = {"type": _CHOICES[choice.mode]}
        if choice.mode == "named":
            rendered["name"] = self.names(choice.name)
        if choice.is_parallel is not None and choice.mode != "none":
            rendered["disable_parallel_tool_use"] = not choice.is_parallel
        return rendered

    def _thinking(self, thinking: Thinking | None) -> dict[str, Any]:
        if thinking is None:
            return {}
        if not self.is_own:
            # Anthropic's thinking wants its signatures back with every tool result, and other wires cannot hand them back.
            self.losses.append("reasoning effort")
            return {}
        if not thinking.is_enabled:
            return {"thinking": {"type": "disabled"}}
        if thinking.is_adaptive:
            return {"thinking": {"type": "adaptive"}}
        if thinking.budget_tokens is not None:
            return {"thinking": {"type": "enabled", "budget_tokens": thinking.budget_tokens}}
        return {}

    def _output_config(self, request: ChatRequest, knobs: dict[str, Any]) -> None:
        config: dict[str, Any] = {}
        if self.is_own and request.thinking is not None and request.thinking.effort is not None:
            config["effort"] = request.thinking.effort
        if request.output is not None:
            if request.output.schema is None:
                self.losses.append("JSON mode")
            else:
                config["format"] = {"type": "json_schema", "schema": request.output.schema}
        if config:
            knobs["output_config"] = config

    def _system(self) -> Any:
        """`system` in the form in which the client sent it; turns of a system that came later are added for other wires."""
        request = self.request
        parts = list(request.system)
        if not self.is_own:
            later = [message for message in request.messages if message.role == "system"]
            if later:
                self.losses.append("the place of later system turns")
            parts += [part for message in later for part in message.parts if isinstance(part, TextPart)]
            parts = [part for part in parts if part.text.strip()]
        if self.is_own and len(parts) == 1 and parts[0].native is None and "system" in request.fields:
            return parts[0].text
        return [self._text(part) for part in parts]

    def _tools(self) -> list[Any]:
        rendered: list[Any] = []
        for tool in self.request.tools:
            fragment = own_fragment(tool.native)
            if fragment is not None:
                rendered.append(fragment)
                continue
            if tool.kind != "function":
                self._refuse_vendor_tool(tool.name, tool.kind)
                continue
            entry: dict[str, Any] = {"name": self.names(tool.name)}
            if tool.description:
                entry["description"] = tool.description
            entry["input_schema"] = object_schema(tool.schema)
            if tool.is_strict and self.is_own:
                entry["strict"] = True
            elif tool.is_strict:
                self.losses.append("strict tool schemas")
            self._mark(entry, tool.native)
            rendered.append(entry)
        return rendered

    def _refuse_vendor_tool(self, name: str, kind: str) -> None:
        choice = self.request.tool_choice
        if choice is not None and choice.mode == "named" and choice.name == name:
            raise CannotCarryError(f"only another provider runs the tool {name}")
        self.losses.append(f"tool {kind}")

    def _messages(self) -> Any:
        request, origin = self.request, self.origin
        if origin is not None:
            unedited = {id(message) for message in origin.messages if not any(map(self._is_refused, message.parts))}
            if request.messages is origin.messages and len(unedited) == len(origin.messages):
                return request.fields["messages"]
            return [rendered for message in request.messages for rendered in self._own_message(message, unedited)]
        conversation = [message for message in request.messages if message.role != "system"]
        return turns(((message.role, self._blocks(message.parts)) for message in conversation), self.losses)

    def _own_message(self, message: Message, unedited: AbstractSet[int]) -> list[Any]:
        """A message of this wire: its own keys, with the content built from its parts as they are now. None without any."""
        fragment = own_fragment(message.native) or {}
        if fragment and id(message) in unedited:
            return [fragment]
        parts = [part for part in message.parts if not self._is_refused(part)]
        if len(parts) < len(message.parts):
            self.losses.append("unsigned thinking")
        first = parts[0] if len(parts) == 1 else None
        if isinstance(first, TextPart) and first.native is None and _is_string(fragment.get("content")):
            content: Any = first.text
        else:
            content = [block.body for block in self._blocks(parts)]
        return [{**(fragment or {"role": message.role}), "content": content}] if parts or not message.parts else []

    def _is_refused(self, part: Part) -> bool:
        return is_unsigned(part) and not self.quirks.takes_unsigned_thinking

    def _blocks(self, parts: Iterable[Part]) -> list[Block]:
        return [block for part in parts if (block := self._block(part)) is not None]

    def _block(self, part: Part) -> Block | None:
        fragment = own_fragment(part.native)
        if fragment is not None:
            return Block(fragment)
        match part:
            case ToolCallPart(id=call_id, name=name, arguments=arguments):
                body = {
                    "type": "tool_use",
                    "id": self._id(call_id),
                    "name": self.names(name),
                    "input": arguments_object(arguments),
                }
                return Block(body, opens=body["id"])
            case ToolResultPart():
                return self._result(part)
            case ThinkingPart():
                return self._thinking_block(part)
            case _:
                return self._content(part)

    def _id(self, call_id: str) -> str:
        return fitting(call_id, ID_LIMIT) if call_id else "call"

    def _result(self, part: ToolResultPart) -> Block:
        blocks = [block.body for inner in part.content if (block := self._content(inner)) is not None]
        body: dict[str, Any] = {"type": "tool_result", "tool_use_id": self._id(part.call_id)}
        if blocks:
            is_words = len(blocks) == 1 and set(blocks[0]) == {"type", "text"}
            body["content"] = blocks[0]["text"] if is_words else blocks
        if part.is_error:
            body["is_error"] = True
        self._mark(body, part.native)
        return Block(body, answers=body["tool_use_id"])

    def _thinking_block(self, part: ThinkingPart) -> Block | None:
        if part.redacted and self.is_own:
            return Block({"type": "redacted_thinking", "data": part.redacted})
        if part.signature and self.is_own:
            return Block({"type": "thinking", "thinking": part.text, "signature": part.signature})
        if self.quirks.takes_unsigned_thinking and part.text:
            return Block({"type": "thinking", "thinking": part.text})
        self.losses.append("unsigned thinking")
        return None

    def _content(self, part: TextPart | ImagePart | DocumentPart | OpaquePart) -> Block | None:
        fragment = own_fragment(part.native)
        if fragment is not None:
            return Block(fragment)
        match part:
            case TextPart(text=text):
                return Block(self._text(part)) if self.is_own or text.strip() else None
            case ImagePart(native=native):
                source = _source(part.media_type or "image/png", part.base64, part.url)
                return Block(self._marked({"type": "image", "source": source}, native))
            case DocumentPart(text=text, native=native):
                source = _source(part.media_type or "application/pdf", part.base64, part.url)
                if text is not None:
                    source = {"type": "text", "media_type": "text/plain", "data": text}
                title = {"title": part.title} if part.title else {}
                return Block(self._marked({"type": "document", "source": source, **title}, native))
            case OpaquePart(kind=kind):
                self.losses.append(f"{kind} content")
                return None

    def _text(self, part: TextPart) -> Any:
        fragment = own_fragment(part.native)
        return fragment if fragment is not None else self._marked({"type": "text", "text": part.text}, part.native)

    def _marked(self, block: dict[str, Any], native: Native | None) -> dict[str, Any]:
        self._mark(block, native)
        return block

    def _mark(self, block: dict[str, Any], native: Native | None) -> None:
        """Cache markers have the same form in every wire that knows them, so they are carried over."""
        marker = native.fragment.get("cache_control") if native is not None else None
        if marker is not None:
            block["cache_control"] = marker


def _put(body: dict[str, Any], key: str, value: Any) -> None:
    """Set a key; an empty value only replaces what was there."""
    if value or key in body:
        body[key] = value


def _clears_thinking(edit: Any) -> bool:
    return isinstance(edit, dict) and str(edit.get("type")).startswith("clear_thinking")


def own_fragment(native: Native | None) -> dict[str, Raw] | None:
    """The original fragment if it is of this wire."""
    return native.fragment if native is not None and native.wire == NAME else None


def _is_string(raw: Raw | None) -> bool:
    return raw is not None and json_reader.kind_of(raw) == "string"


def _source(media_type: str, base64: str | None, url: str | None) -> dict[str, str]:
    if base64 is not None:
        return {"type": "base64", "media_type": media_type, "data": base64}
    if url is None or not url.startswith("https://"):
        raise CannotCarryError("this provider fetches files from https addresses only")
    return {"type": "url", "url": url}


def arguments_object(arguments: str) -> Any:
    """Arguments as an object. What is not one (a call that was cut off) is kept as words, for the model to see."""
    text = arguments.strip() or "{}"
    if text.startswith("{") and json_reader.is_json(text):
        return Raw(text.encode("utf-8", "replace"))
    return {"unreadable_arguments": text}
