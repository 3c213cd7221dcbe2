"""`chat` → Ollama's `/api/chat`. What came in this wire goes out as it came; the rest is translated, losses declared.

Ollama cuts a prompt that is longer than its window without a word, and its window is small unless the request says otherwise. So
`num_ctx` is always said: the client's own, or the provider entry's, which is the same for each request, for another value makes
Ollama load the model anew.
"""

from typing import Any, Final

from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    TextPart,
    Thinking,
    ThinkingPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered
from lynkr_desktop.engine.wire.naming import losses_of
from lynkr_desktop.engine.wire.ollama.request_in import GENERATE, NAME, parse_request
from lynkr_desktop.engine.wire.schema import object_schema
from lynkr_desktop.json_reader import Fields, ShapeError

_BILLING: Final = "x-anthropic-billing-header:"
_LEVELS: Final = frozenset({"low", "medium", "high"})


def renamed(request: ChatRequest, model: str, *, asks_usage: bool) -> bytes:
    """The client's own JSON with only `model` replaced: the verbatim path."""
    return json_reader.encode({**request.fields, "model": model})


def keep_alive(text: str) -> str | int:
    """A span in Ollama's words: `5m`, or seconds as a number, where -1 is for ever."""
    try:
        return int(text)
    except ValueError:
        return text


def suits(request: ChatRequest, quirks: Quirks) -> bool:
    """Can the client's own JSON go to this provider as it is? Not without a window where the provider's must be said."""
    options = Fields(request.fields).optional_fields("options")
    has_window = options is not None and options.has("num_ctx")
    if (quirks.context_tokens and not has_window) or (quirks.keep_alive and "keep_alive" not in request.fields):
        return False
    return (quirks.takes_images or not request.has_images) and (quirks.takes_tools or not request.tools)


def render_request(request: ChatRequest, model: str, quirks: Quirks, *, is_streamed: bool) -> Rendered:
    """The request for a provider of this wire. Raises `CannotCarryError`."""
    if not quirks.takes_images and request.has_images:
        raise CannotCarryError("this model takes no images")
    if not quirks.takes_tools and request.tools:
        raise CannotCarryError("this model takes no tools")
    return _Renderer(request, quirks).render(model, is_streamed=is_streamed)


class _Renderer:
    """One rendering: collects losses on the way."""

    def __init__(self, request: ChatRequest, quirks: Quirks) -> None:
        self.request = request
        self.quirks = quirks
        self.is_own = request.wire in {NAME, GENERATE}
        self.losses: list[str] = []
        self._tool_of: dict[str, str] = {}  # call id → the tool's name

    def render(self, model: str, *, is_streamed: bool) -> Rendered:
        request = self.request
        own = (
            {key: raw for key, raw in request.fields.items() if key not in {"prompt", "system", "images"}} if self.is_own else {}
        )
        body: dict[str, Any] = {**own, "model": model, "messages": self._messages()}
        original = parse_request(request.body) if self.is_own else None
        if original is None or request.tools != original.tools:
            body["tools"] = self._tools()
        options = self._options(original)
        if options:
            body["options"] = options
        if self.quirks.keep_alive and "keep_alive" not in body:
            body["keep_alive"] = keep_alive(self.quirks.keep_alive)
        if original is None or (request.thinking, request.output) != (original.thinking, original.output):
            self._put_knobs(body)
        if not body.get("tools", True):
            del body["tools"]
        if not self.is_own:
            self._declare()
        if is_streamed is not (body.get("stream") != Raw(b"false")) or not self.is_own:
            body["stream"] = is_streamed
        return Rendered(json_reader.encode(body), losses_of(self.losses))

    def _options(self, original: ChatRequest | None) -> dict[str, Any]:
        request = self.request
        own = Fields(request.fields).optional_fields("options") if self.is_own else None
        options: dict[str, Any] = {**own.raw} if own else {}
        wanted = _knobs(request)
        before = _knobs(original) if original is not None else {}
        options |= {key: value for key, value in wanted.items() if value is not None and before.get(key) != value}
        if self.quirks.context_tokens and "num_ctx" not in options:
            options["num_ctx"] = self.quirks.context_tokens
            self.losses.append(f"the window was set to {self.quirks.context_tokens} tokens")
        return options

    def _put_knobs(self, body: dict[str, Any]) -> None:
        request = self.request
        if request.thinking is not None:
            think = self._think(request.thinking)
            if think is not None:
                body["think"] = think
        if request.output is not None:
            body["format"] = request.output.schema if request.output.schema is not None else "json"

    def _think(self, thinking: Thinking) -> bool | str | None:
        """Only models that think take the switch: Ollama refuses it for others."""
        if self.is_own or self.quirks.takes_reasoning_effort:
            return thinking.effort if thinking.is_enabled and thinking.effort in _LEVELS else thinking.is_enabled
        if thinking.is_enabled:
            self.losses.append("thinking settings")
        return None

    def _declare(self) -> None:
        request = self.request
        self.losses.extend(request.unread)
        if request.user is not None:
            self.losses.append("user id")
        if request.tool_choice is not None and request.tools:
            if request.tool_choice.mode in {"named", "required"}:
                self.losses.append("the duty to call a tool")
            if request.tool_choice.is_parallel is False:
                self.losses.append("the ban on parallel tool calls")

    def _tools(self) -> list[Any]:
        request, rendered = self.request, list[Any]()
        if request.tool_choice is not None and request.tool_choice.mode == "none":
            return rendered
        for tool in request.tools:
            if tool.native is not None and tool.native.wire == NAME:
                rendered.append(tool.native.fragment)
            elif tool.kind == "function":
                rendered.append(self._function(tool))
            else:
                self.losses.append(f"tool {tool.kind}")
        if request.tools and not rendered:
            raise CannotCarryError(f"only another provider runs the tool {request.tools[0].name}")
        return rendered

    def _function(self, tool: Tool) -> dict[str, Any]:
        if tool.is_strict:
            self.losses.append("strict tool schemas")
        if tool.native is not None and "cache_control" in tool.native.fragment:
            self.losses.append("cache markers")
        function = {"name": tool.name, "description": tool.description, "parameters": object_schema(tool.schema)}
        return {"type": "function", "function": function}

    # --- messages ---

    def _messages(self) -> list[Any]:
        request = self.request
        system = request.system[1:] if request.system and request.system[0].text.startswith(_BILLING) else request.system
        words = "\n\n".join(part.text for part in system if part.text.strip())
        rendered: list[Any] = [{"role": "system", "content": words}] if words else []
        for message in request.messages:
            if (fragment := _untouched(message)) is not None:
                rendered.append(fragment)
                self._tool_of |= {part.id: part.name for part in message.parts if isinstance(part, ToolCallPart)}
            elif message.role == "assistant":
                rendered.extend(self._assistant(message.parts))
            else:
                rendered.extend(self._turn(message.role, message.parts))
        return rendered

    def _assistant(self, parts: tuple[Part, ...]) -> list[Any]:
        words: list[str] = []
        thoughts: list[str] = []
        calls: list[Any] = []
        for part in parts:
            match part:
                case TextPart(text=text):
                    words.append(text)
                case ThinkingPart(text=text, signature=signature):
                    thoughts.append(text)
                    if signature or not text:
                        self.losses.append("thinking signature")
                case ToolCallPart():
                    calls.append(self._call(part))
                case OpaquePart(kind=kind):
                    self.losses.append(f"{kind} content")
                case _:
                    self.losses.append("an attachment of the assistant")
        message: dict[str, Any] = {"role": "assistant", "content": "\n\n".join(word for word in words if word.strip())}
        if any(thoughts):
            message["thinking"] = "\n".join(thoughts)
        if calls:
            message["tool_calls"] = calls
        return [message] if message["content"] or calls else []

    def _call(self, part: ToolCallPart) -> dict[str, Any]:
        self._tool_of[part.id] = part.name
        text = (part.arguments.strip() or "{}").encode()
        try:
            Fields.parse(text)
        except ShapeError:
            self.losses.append("arguments of a tool call that are no object")
            text = b"{}"
        return {"id": part.id, "function": {"name": part.name, "arguments": Raw(text)}}

    def _turn(self, role: str, parts: tuple[Part, ...]) -> list[Any]:
        """A message for each result, then one for what was said; pictures go with either."""
        results: list[Any] = []
        words: list[str] = []
        images: list[str] = []
        for part in parts:
            match part:
                case ToolResultPart():
                    results.append(self._result(part))
                case TextPart() | ImagePart() | DocumentPart() | OpaquePart():
                    self._put(part, words, images)
                case _:
                    self.losses.append("an assistant's part in a user turn")
        text = "\n\n".join(word for word in words if word.strip())
        message: dict[str, Any] = {"role": role, "content": text}
        if images:
            message["images"] = images
        return [*results, message] if text or images else results

    def _result(self, part: ToolResultPart) -> dict[str, Any]:
        words: list[str] = []
        images: list[str] = []
        for inner in part.content:
            self._put(inner, words, images)
        text = "\n".join(word for word in words if word)
        if part.is_error:
            self.losses.append("the mark of a failed tool call")
        message: dict[str, Any] = {"role": "tool", "content": text, "tool_name": self._tool_of.get(part.call_id, "")}
        message["tool_call_id"] = part.call_id
        if images:
            message["images"] = images
        return message

    def _put(self, part: TextPart | ImagePart | DocumentPart | OpaquePart, words: list[str], images: list[str]) -> None:
        match part:
            case TextPart(text=text):
                words.append(text)
            case DocumentPart(text=str(text), title=title):
                words.append(f"{title}\n\n{text}" if title else text)
            case ImagePart(base64=str(content)):
                images.append(content)
            case ImagePart():
                raise CannotCarryError("this provider cannot fetch a picture from an address")
            case DocumentPart():
                raise CannotCarryError("this provider takes no documents")
            case OpaquePart(kind=kind):
                self.losses.append(f"{kind} content")
        if part.native is not None and "cache_control" in part.native.fragment:
            self.losses.append("cache markers")


def _knobs(request: ChatRequest) -> dict[str, Any]:
    return {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": list(request.stop) or None,
    }


def _untouched(message: Message) -> dict[str, Raw] | None:
    """The original of a message of this wire that nobody changed: every part still bears it, and none is missing."""
    native = message.native
    if native is None or native.wire != NAME or any(part.native != native for part in message.parts):
        return None
    fields = Fields(native.fragment)
    count = sum(bool(fields.text_or(key, "")) for key in ("content", "thinking"))
    count += len(fields.array("images")) + len(fields.array("tool_calls"))
    is_single = message.role == "system" or fields.text_or("role", "") == "tool"
    return native.fragment if is_single or count == len(message.parts) else None
