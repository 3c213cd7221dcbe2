"""`chat` → Responses API requests. What came in this wire goes out as it came; the rest is translated, losses declared."""

from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import ChatRequest, OutputFormat, Thinking, Tool, ToolChoice
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered
from lynkr_desktop.engine.wire.naming import ToolNames, losses_of, safe_user
from lynkr_desktop.engine.wire.openai_responses.continuing import is_stored
from lynkr_desktop.engine.wire.openai_responses.items_in import own_fragment
from lynkr_desktop.engine.wire.openai_responses.items_out import ItemRenderer, instructions_of, is_lost
from lynkr_desktop.engine.wire.openai_responses.request_in import input_items, leading_count, parse_request
from lynkr_desktop.engine.wire.openai_responses.tools import NAME, Form, callees_of, tools_of
from lynkr_desktop.engine.wire.schema import object_schema
from lynkr_desktop.json_reader import Fields

SEALED: Final = "reasoning.encrypted_content"
MIN_OUTPUT_TOKENS: Final = 16  # OpenAI refuses less
_EFFORT: Final = {"max": "high", "xhigh": "high"}


def renamed(request: ChatRequest, model: str, *, asks_usage: bool) -> bytes:
    """The client's own JSON with only `model` replaced. Usage is always told in this wire, so nothing is added for it."""
    return json_reader.encode({**request.fields, "model": model})


def suits(request: ChatRequest, quirks: Quirks) -> bool:
    """Can the client's own JSON go to this provider as it is?

    Not with sampling knobs where they are refused, nor with reasoning whose id OpenAI would look for in vain.
    """
    if not quirks.takes_sampling and (request.temperature, request.top_p) != (None, None):
        return False
    if not quirks.takes_images and request.has_images:
        return False
    if not quirks.takes_tools and request.tools:
        return False
    return not has_lost_ids(request)


def has_lost_ids(request: ChatRequest) -> bool:
    """Is there an id under which OpenAI would look for reasoning that it has not kept?"""
    return not is_stored(request) and any(is_lost(part) for message in request.messages for part in message.parts)


def render_request(request: ChatRequest, model: str, quirks: Quirks, *, is_streamed: bool) -> Rendered:
    """The request for a provider of this wire. Raises `CannotCarryError`."""
    if not quirks.takes_images and request.has_images:
        raise CannotCarryError("this model takes no images")
    if not quirks.takes_tools and request.tools:
        raise CannotCarryError("this model takes no tools")
    return _Renderer(request, quirks).render(model, is_streamed=is_streamed)


class _Renderer:
    """One rendering: collects losses and tool names on the way."""

    def __init__(self, request: ChatRequest, quirks: Quirks) -> None:
        self.request = request
        self.quirks = quirks
        self.is_own = request.wire == NAME
        self.losses: list[str] = []
        self.names = ToolNames(quirks.names_limit)
        self.items = ItemRenderer(request, quirks, self.names, self.losses, is_kept=is_stored(request))

    def render(self, model: str, *, is_streamed: bool) -> Rendered:
        body = self._own() if self.is_own else self._translated()
        body["model"] = model
        if is_streamed or "stream" in body:
            body["stream"] = is_streamed
        if not self.quirks.takes_sampling:
            for knob in ("temperature", "top_p"):
                if body.pop(knob, None) is not None:
                    self.losses.append(knob)
        return Rendered(json_reader.encode(body), losses_of(self.losses), self.names.renamed)

    # --- a request of this wire ---

    def _own(self) -> dict[str, Any]:
        """The client's own fields; those that say another thing than before are written anew."""
        request = self.request
        before = parse_request(request.body)
        original, wanted = self._knobs(before), self._knobs(request)
        changed = {key: value for key, value in wanted.items() if key not in original or value != original[key]}
        kept = {key: value for key, value in request.fields.items() if key in wanted or key not in original}
        body: dict[str, Any] = {**kept, **changed}
        if request.tools != before.tools:
            body["tools"] = self._own_tools()
        opening: list[Any] = []
        if request.system == before.system:
            items = input_items(Fields(request.fields))
            opening = [item.raw for item in items[: leading_count(items)]]
        else:
            body["instructions"] = instructions_of(request.system)
        if (request.messages, request.system) != (before.messages, before.system) or has_lost_ids(request):
            body["input"] = [*opening, *self.items.own()]
        return body

    def _own_tools(self) -> list[Any]:
        """The listed tools that are still there, then what was added. Those that a search found are in the conversation."""
        tools = self.request.tools
        rendered: list[Any] = []
        for item in Fields(self.request.fields).objects("tools"):
            names = {tool.name for tool in tools_of([item])}
            left = {tool.name for tool in tools if own_fragment(tool.native) == item.raw}
            if left == names:
                rendered.append(item.raw)
            elif left:  # of a namespace
                callees = callees_of(self.request)
                inner = {callees[name].name for name in left}
                rendered.append({**item.raw, "tools": [each.raw for each in item.objects("tools") if each.text("name") in inner]})
        return rendered + [self._tool(tool) for tool in tools if tool.native is None]

    # --- a request of another wire ---

    def _translated(self) -> dict[str, Any]:
        request = self.request
        self.losses.extend(request.unread)
        body: dict[str, Any] = {}
        if instructions := instructions_of(request.system):
            body["instructions"] = instructions
        body["input"] = self.items.translated()
        body |= self._knobs(request)
        tools = [rendered for tool in request.tools if (rendered := self._offered(tool)) is not None]
        if request.tools and not tools:
            raise CannotCarryError(f"only another provider runs the tool {request.tools[0].name}")
        if tools:
            body["tools"] = tools
        else:
            body.pop("tool_choice", None)
            body.pop("parallel_tool_calls", None)
        body["store"] = False  # as in the client's wire: nobody asked OpenAI to keep the conversation
        if request.thinking is not None and request.thinking.is_enabled and self.quirks.takes_reasoning_effort:
            body["include"] = [SEALED]  # so the reasoning itself comes, encrypted, and goes back with the next turn
        return body

    def _offered(self, tool: Tool) -> Any:
        if tool.kind == "function":
            return self._tool(tool)
        choice = self.request.tool_choice
        if choice is not None and choice.mode == "named" and choice.name == tool.name:
            raise CannotCarryError(f"only another provider runs the tool {tool.name}")
        self.losses.append(f"tool {tool.kind}")
        return None

    def _tool(self, tool: Tool) -> dict[str, Any]:
        """A function. `strict` is on in this wire unless it is said, and most schemas would be refused by it."""
        rendered: dict[str, Any] = {"type": "function", "name": self.names(tool.name)}
        if tool.description:
            rendered["description"] = tool.description
        rendered["parameters"] = object_schema(tool.schema)
        rendered["strict"] = bool(tool.is_strict)
        if tool.native is not None and "cache_control" in tool.native.fragment:
            self.losses.append("cache markers")
        return rendered

    # --- both ---

    def _knobs(self, request: ChatRequest) -> dict[str, Any]:
        """The top-level settings in this wire's words; without tools and input."""
        knobs: dict[str, Any] = {"temperature": request.temperature, "top_p": request.top_p}
        limit = request.max_tokens
        knobs["max_output_tokens"] = limit if limit is None or self.is_own else max(limit, MIN_OUTPUT_TOKENS)
        if not self.is_own:
            self._declare(request)
        if request.user is not None:
            knobs["user"] = request.user if self.is_own else safe_user(request.user)
        if request.tool_choice is not None:
            knobs.update(self._tool_choice(request, request.tool_choice))
        if effort := self._effort(request.thinking):
            knobs["reasoning"] = self._within(request, "reasoning") | {"effort": effort}
        if request.output is not None:
            knobs["text"] = self._within(request, "text") | {"format": _format(request.output)}
        return {key: value for key, value in knobs.items() if value is not None}

    def _within(self, request: ChatRequest, key: str) -> dict[str, Any]:
        """The client's other keys of an object that is written anew."""
        own = Fields(request.fields).optional_fields(key) if self.is_own else None
        return {**own.raw} if own else {}

    def _declare(self, request: ChatRequest) -> None:
        if request.top_k is not None:
            self.losses.append("top_k")
        if request.stop:
            self.losses.append("stop sequences")
        if request.max_tokens is not None and request.max_tokens < MIN_OUTPUT_TOKENS:
            self.losses.append(f"an output limit below {MIN_OUTPUT_TOKENS}")

    def _tool_choice(self, request: ChatRequest, choice: ToolChoice) -> dict[str, Any]:
        rendered: dict[str, Any] = {"tool_choice": choice.mode}
        if choice.mode == "named":
            callee = callees_of(request).get(choice.name)
            form = "custom" if callee is not None and callee.form is Form.CUSTOM else "function"
            rendered["tool_choice"] = {"type": form, "name": callee.name if callee else self.names(choice.name)}
        if choice.is_parallel is not None:
            rendered["parallel_tool_calls"] = choice.is_parallel
        return rendered

    def _effort(self, thinking: Thinking | None) -> str | None:
        """`reasoning.effort` for what the client asked for; None leaves it to the model."""
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


def _format(output: OutputFormat) -> dict[str, Any]:
    if output.schema is None:
        return {"type": "json_object"}
    rendered: dict[str, Any] = {"type": "json_schema", "name": output.name or "answer", "schema": output.schema}
    if output.is_strict is not None:
        rendered["strict"] = output.is_strict
    return rendered
