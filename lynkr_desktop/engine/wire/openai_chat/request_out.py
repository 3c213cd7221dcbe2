"""`chat` → Chat Completions requests. What came in this wire goes out as it came; the rest is translated, losses declared."""

import itertools
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    Message,
    Thinking,
    ThinkingPart,
    Tool,
    ToolChoice,
    ToolResultPart,
    has_tool_pictures,
    kinds_in,
)
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered
from lynkr_desktop.engine.wire.naming import ToolNames, losses_of, safe_user
from lynkr_desktop.engine.wire.openai_chat.messages_out import MessageRenderer, own_fragment
from lynkr_desktop.engine.wire.openai_chat.request_in import NAME, parse_request
from lynkr_desktop.engine.wire.schema import object_schema
from lynkr_desktop.json_reader import Fields

STOP_LIMIT: Final = 4
_TOOL_KEYS: Final = frozenset(  # of tools in other wires, where what they say is carried over
    {"name", "description", "input_schema", "type", "strict", "parameters", "format", "tools", "execution"}
)
_EFFORT: Final = {"max": "high", "xhigh": "high"}
_TAKEN_IF: Final = {  # what some providers refuse, and the quirk that says so
    "user": attrgetter("takes_user"),
    "parallel_tool_calls": attrgetter("takes_parallel_switch"),
    "reasoning_effort": attrgetter("takes_reasoning_effort"),
    **dict.fromkeys(("temperature", "top_p", "top_k"), attrgetter("takes_sampling")),
}


def renamed(request: ChatRequest, model: str, *, asks_usage: bool) -> bytes:
    """The client's own JSON with only `model` replaced: the verbatim path.

    `asks_usage` merges `include_usage` into the client's own `stream_options`, for streams only.
    """
    body: dict[str, Any] = {**request.fields, "model": model}
    if asks_usage and request.is_streamed:
        body["stream_options"] = _usage_options(request)
    return json_reader.encode(body)


def _usage_options(request: ChatRequest) -> dict[str, Any]:
    own = Fields(request.fields).optional_fields("stream_options") if request.wire == NAME else None
    return {**(own.raw if own else {}), "include_usage": True}


def suits(request: ChatRequest, quirks: Quirks) -> bool:
    """Can the client's own JSON go to this provider as it is? Not where a field has another name there or is refused."""
    fields = request.fields
    refused = (
        ("max_tokens" in fields and quirks.has_max_completion_tokens)
        or ("max_completion_tokens" in fields and not quirks.has_max_completion_tokens)
        or ("user" in fields and not quirks.takes_user)
        or ("parallel_tool_calls" in fields and not quirks.takes_parallel_switch)
        or ("stream_options" in fields and not quirks.takes_stream_options)
        or ("reasoning_effort" in fields and not quirks.takes_reasoning_effort)
        or (quirks.refuses_reasoning_content and ThinkingPart in kinds_in(request.messages))
        or (quirks.refuses_tool_pictures and _has_tool_pictures(request.messages))
    )
    has_knobs = (request.temperature, request.top_p, request.top_k) != (None, None, None)
    if refused or (has_knobs and not quirks.takes_sampling):
        return False
    return (quirks.takes_images or not request.has_images) and (quirks.takes_tools or not request.tools)


def render_request(request: ChatRequest, model: str, quirks: Quirks, *, is_streamed: bool) -> Rendered:
    """The request for a provider of this wire. Raises `CannotCarryError`."""
    if not quirks.takes_images and request.has_images:
        raise CannotCarryError("this model takes no images")
    if not quirks.takes_tools and request.tools:
        raise CannotCarryError("this model takes no tools")
    losses: list[str] = []
    if request.wire == NAME and quirks.refuses_reasoning_content and ThinkingPart in kinds_in(request.messages):
        request = msgspec.structs.replace(request, messages=tuple(map(_without_thoughts, request.messages)))
        losses.append("reasoning that this provider does not take back")
    if request.wire == NAME and quirks.refuses_tool_pictures and _has_tool_pictures(request.messages):
        request = msgspec.structs.replace(request, messages=_with_joint_results(request.messages))
    renderer = _Renderer(request, quirks)
    renderer.losses.extend(losses)
    return renderer.render(model, is_streamed=is_streamed)


def _without_thoughts(message: Message) -> Message:
    if ThinkingPart not in kinds_in((message,)):
        return message
    return msgspec.structs.replace(message, parts=tuple(part for part in message.parts if not isinstance(part, ThinkingPart)))


def _has_tool_pictures(messages: Sequence[Message]) -> bool:
    return ToolResultPart in kinds_in(messages) and any(map(has_tool_pictures, messages))


def _with_joint_results(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Neighbouring tool messages with a picture among them as one turn made anew, behind which the pictures follow together."""
    joint: list[Message] = []
    for is_result, run in itertools.groupby(
        messages, lambda message: isinstance(message.parts[0] if message.parts else None, ToolResultPart)
    ):
        turn = tuple(run)
        if is_result and any(map(has_tool_pictures, turn)):
            parts = (part for message in turn for part in message.parts)
            turn = (Message("user", tuple(msgspec.structs.replace(part, native=None) for part in parts)),)
        joint.extend(turn)
    return tuple(joint)


class _Renderer:
    """One rendering: collects losses and tool names on the way."""

    def __init__(self, request: ChatRequest, quirks: Quirks) -> None:
        self.request = request
        self.quirks = quirks
        self.is_own = request.wire == NAME
        self.origin = (request.origin or parse_request(request.body)) if self.is_own else None
        self.losses: list[str] = []
        self.names = ToolNames(quirks.names_limit)

    def render(self, model: str, *, is_streamed: bool) -> Rendered:
        request = self.request
        if self.origin is None:
            self.losses.extend(request.unread)
            body = self._knobs(request)
        else:
            body = self._own_knobs(self.origin)
        body["model"] = model
        if self.origin is None or request.tools is not self.origin.tools:
            self._put_tools(body)
        body["messages"] = self._messages()
        self._put_stream(body, is_streamed=is_streamed)
        self._apply_quirks(body)
        return Rendered(json_reader.encode(body), losses_of(self.losses), self.names.renamed)

    def _own_knobs(self, origin: ChatRequest) -> dict[str, Any]:
        """The client's own top level, with the settings that were edited."""
        if _settings_of(self.request) == _settings_of(origin):
            return dict(self.request.fields)
        wanted, original = self._knobs(self.request), self._knobs(origin)
        kept = {key: value for key, value in self.request.fields.items() if key in wanted or key not in original}
        return kept | {key: value for key, value in wanted.items() if key not in original or value != original[key]}

    def _put_stream(self, body: dict[str, Any], *, is_streamed: bool) -> None:
        if is_streamed or "stream" in body:
            body["stream"] = is_streamed
        if is_streamed and self.quirks.takes_stream_options:
            body["stream_options"] = _usage_options(self.request)
        else:
            body.pop("stream_options", None)  # refused where nothing is streamed
        if self.quirks.asks_usage_cost and "usage" not in body:
            body["usage"] = {"include": True}

    def _apply_quirks(self, body: dict[str, Any]) -> None:
        """Fields that this provider calls by another name or refuses."""
        quirks = self.quirks
        wrong, right = "max_tokens", "max_completion_tokens"
        if not quirks.has_max_completion_tokens:
            wrong, right = right, wrong
        if wrong in body:
            limit = body.pop(wrong)
            body.setdefault(right, limit)
        for key, is_taken in _TAKEN_IF.items():
            if key in body and not is_taken(quirks) and body.pop(key) is not None:
                self.losses.append("user id" if key == "user" else key)

    def _knobs(self, request: ChatRequest) -> dict[str, Any]:
        """The top-level settings in this wire's words; without tools and messages."""
        knobs: dict[str, Any] = {}
        limit_key = "max_completion_tokens" if "max_completion_tokens" in request.fields else "max_tokens"
        knobs.update({limit_key: request.max_tokens, "temperature": request.temperature, "top_p": request.top_p})
        if request.top_k is not None:
            if self.is_own:
                knobs["top_k"] = request.top_k
            else:
                self.losses.append("top_k")
        if request.stop:
            knobs["stop"] = self._stop(request)
        if request.user is not None:
            knobs["user"] = request.user if self.is_own else safe_user(request.user)
        if request.tool_choice is not None:
            knobs.update(self._tool_choice(request.tool_choice))
        effort = self._effort(request.thinking)
        if effort is not None:
            knobs["reasoning_effort"] = effort
        if request.output is not None:
            knobs["response_format"] = _response_format(request)
        return {key: value for key, value in knobs.items() if value is not None}

    def _stop(self, request: ChatRequest) -> list[str]:
        if len(request.stop) > STOP_LIMIT and not self.is_own:
            self.losses.append(f"stop sequences beyond {STOP_LIMIT}")
            return list(request.stop[:STOP_LIMIT])
        return list(request.stop)

    def _tool_choice(self, choice: ToolChoice) -> dict[str, Any]:
        rendered: dict[str, Any] = {}
        if choice.mode == "named":
            rendered["tool_choice"] = {"type": "function", "function": {"name": self.names(choice.name)}}
        else:
            rendered["tool_choice"] = choice.mode
        if choice.is_parallel is not None:
            rendered["parallel_tool_calls"] = choice.is_parallel
        return rendered

    def _effort(self, thinking: Thinking | None) -> str | None:
        """`reasoning_effort` for what the client asked for; None leaves it to the model."""
        if thinking is None:
            return None
        if self.is_own:
            return thinking.effort
        if not thinking.is_enabled:
            return None
        if not self.quirks.takes_reasoning_effort:
            self.losses.append("thinking settings")
            return None
        if thinking.effort is not None:
            return _EFFORT.get(thinking.effort, thinking.effort)
        budget = thinking.budget_tokens
        if budget is None:
            return None
        return "low" if budget <= 4096 else "medium" if budget <= 16384 else "high"

    def _put_tools(self, body: dict[str, Any]) -> None:
        if self.is_own and "functions" in body:
            return
        tools = [rendered for tool in self.request.tools if (rendered := self._tool(tool)) is not None]
        if self.request.tools and not tools:
            raise CannotCarryError(f"only another provider runs the tool {self.request.tools[0].name}")
        if tools or "tools" in body:
            body["tools"] = tools
        elif not self.is_own:
            body.pop("tool_choice", None)
            body.pop("parallel_tool_calls", None)

    def _tool(self, tool: Tool) -> Any:
        fragment = own_fragment(tool.native)
        if fragment:
            return fragment
        if tool.kind != "function":
            choice = self.request.tool_choice
            if choice is not None and choice.mode == "named" and choice.name == tool.name:
                raise CannotCarryError(f"only another provider runs the tool {tool.name}")
            self.losses.append(f"tool {tool.kind}")
            return None
        function: dict[str, Any] = {"name": self.names(tool.name)}
        if tool.description:
            function["description"] = tool.description
        function["parameters"] = object_schema(tool.schema)
        if tool.is_strict is not None and self.is_own:
            function["strict"] = tool.is_strict
        elif tool.is_strict:
            self.losses.append("strict tool schemas")
        rendered: dict[str, Any] = {"type": "function", "function": function}
        self._declare_tool_extras(tool, rendered)
        return rendered

    def _declare_tool_extras(self, tool: Tool, rendered: dict[str, Any]) -> None:
        extras = tool.native.fragment if tool.native is not None and not self.is_own else {}
        for key in extras:
            if key == "cache_control":
                if self.quirks.takes_cache_markers:
                    rendered[key] = extras[key]
                else:
                    self.losses.append("cache markers")
            elif key not in _TOOL_KEYS:
                self.losses.append(f"tool field {key}")

    def _messages(self) -> Any:
        request, origin = self.request, self.origin
        renderer = MessageRenderer(self.quirks, self.names, self.losses)
        if origin is None:
            return renderer.translated(request)
        if request.messages is origin.messages and request.system is origin.system:
            return request.fields["messages"]
        opening: list[Any]
        if request.system == origin.system:
            items = Fields(request.fields).objects("messages")
            opening = [item.raw for item in items[: len(items) - len(origin.messages)]]
        else:
            opening = renderer.system(request.system)
        return opening + renderer.own(request.messages, origin.messages)


def _settings_of(request: ChatRequest) -> tuple[object, ...]:
    """All that a rendering's top level is made of, beside what the client sent."""
    limits = (request.max_tokens, request.temperature, request.top_p, request.top_k, request.stop)
    return (*limits, request.user, request.tool_choice, request.thinking, request.output)


def _response_format(request: ChatRequest) -> Any:
    output = request.output
    if output is None or output.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": output.name or "answer", "schema": output.schema}
    if output.is_strict is not None:
        schema["strict"] = output.is_strict
    return {"type": "json_schema", "json_schema": schema}
