"""`chat` → Converse requests. Always translated, for no client speaks this wire; losses are declared.

Model and streaming are in the address, which the provider's entry makes.
"""

from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import ChatRequest, OutputFormat, TextPart, Thinking, Tool, ToolChoice
from lynkr_desktop.engine.wire.bedrock_converse.content_out import ContentRenderer
from lynkr_desktop.engine.wire.bedrock_converse.families import family_of
from lynkr_desktop.engine.wire.bedrock_converse.turns import turns
from lynkr_desktop.engine.wire.claude_thinking import fitted, is_forced, lacks_thinking
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered
from lynkr_desktop.engine.wire.naming import ToolNames, losses_of
from lynkr_desktop.engine.wire.schema import object_schema

NAME_LIMIT: Final = 64
_BILLING: Final = "x-anthropic-billing-header:"


def render_request(request: ChatRequest, model: str, quirks: Quirks, *, is_streamed: bool) -> Rendered:
    """The request for a provider of this wire. Raises `CannotCarryError`."""
    if not quirks.takes_images and request.has_images:
        raise CannotCarryError("this model takes no images")
    if not quirks.takes_tools and request.tools:
        raise CannotCarryError("this model takes no tools")
    return _Renderer(request, model, quirks).render()


class _Renderer:
    """One rendering: collects losses and tool names on the way."""

    def __init__(self, request: ChatRequest, model: str, quirks: Quirks) -> None:
        self.request = request
        self.quirks = quirks
        self.family = family_of(model)
        self.losses: list[str] = list(request.unread)
        self.names = ToolNames(min(quirks.names_limit, NAME_LIMIT))
        self.content = ContentRenderer(self.family, self.names, self.losses)

    def render(self) -> Rendered:
        request = self.request
        conversation = [message for message in request.messages if message.role != "system"]
        rendered = ((message.role, self.content.blocks(message.parts)) for message in conversation)
        body: dict[str, Any] = {"messages": turns(rendered, self.family, self.losses)}
        parts = {
            "system": self._system(),
            "inferenceConfig": self._inference(),
            "toolConfig": self._tool_config(),
            "additionalModelRequestFields": self._extras(),
            "outputConfig": self._output(request.output),
        }
        body |= {key: value for key, value in parts.items() if value}
        if request.user is not None:
            self.losses.append("user id")
        return Rendered(json_reader.encode(body), losses_of(self.losses), self.names.renamed)

    def _system(self) -> list[Any]:
        """System turns that came later are added to the first. A leading billing line of Claude Code is left out: it changes
        with each request, so that no prompt would ever be found in the cache."""
        later = [message for message in self.request.messages if message.role == "system"]
        if later:
            self.losses.append("the place of later system turns")
        parts = [*self.request.system, *(part for message in later for part in message.parts if isinstance(part, TextPart))]
        blocks: list[Any] = []
        for index, part in enumerate(parts):
            if not part.text.strip() or (index == 0 and part.text.startswith(_BILLING)):
                continue
            blocks.append({"text": part.text})
            blocks += self.content.cache_points(part.native)
        return blocks

    # --- settings ---

    def _inference(self) -> dict[str, Any]:
        request = self.request
        config: dict[str, Any] = {"maxTokens": request.max_tokens}
        if not self.quirks.takes_sampling:
            knobs = {"temperature": request.temperature, "top_p": request.top_p}
            self.losses.extend(name for name, value in knobs.items() if value is not None)
        else:
            config["temperature"] = None if request.temperature is None else min(request.temperature, 1.0)
            if config["temperature"] != request.temperature:
                self.losses.append("temperature above 1")
            config["topP"] = request.top_p
            if self.family.is_claude and request.temperature is not None and request.top_p is not None:
                config["topP"] = None  # Claude on Bedrock refuses both together
                self.losses.append("top_p beside temperature")
        stops = [stop for stop in request.stop if stop.strip()]
        if len(stops) < len(request.stop):
            self.losses.append("stop sequences of white space")
        config["stopSequences"] = stops or None
        return {key: value for key, value in config.items() if value is not None}

    def _extras(self) -> dict[str, Any]:
        """What only Claude takes: Anthropic's own fields."""
        extras: dict[str, Any] = {}
        if self.request.top_k is not None:
            if self.family.is_claude and self.quirks.takes_sampling:
                extras["top_k"] = self.request.top_k
            else:
                self.losses.append("top_k")
        thinking = self.request.thinking
        if thinking is not None:
            form = self._thinking(thinking)
            if form is not None:
                extras["thinking"] = form
        return extras

    def _thinking(self, thinking: Thinking) -> dict[str, Any] | None:
        """Thinking as Anthropic writes it. An effort alone comes from clients that cannot hand Claude's signatures back."""
        if not thinking.is_enabled:
            return {"type": "disabled"} if self.family.is_claude else None
        is_anthropics = thinking.is_adaptive or thinking.budget_tokens is not None
        taken = fitted(thinking, self.request.max_tokens, self.quirks) if self.family.is_claude and is_anthropics else None
        if taken is None or not (taken.is_adaptive or taken.budget_tokens):
            self.losses.append("thinking settings")
            return None
        if taken.budget_tokens and lacks_thinking(self.request):
            self.losses.append("thinking, for the turn began with another model")
            return None
        if is_forced(self.request):
            self.losses.append("thinking, for a tool must be called")
            return None
        if thinking.effort is not None:
            self.losses.append("reasoning effort")
        if taken.is_adaptive:
            return {"type": "adaptive"}
        return {"type": "enabled", "budget_tokens": taken.budget_tokens}

    def _output(self, output: OutputFormat | None) -> dict[str, Any]:
        """The form of the answer; its schema is a text here."""
        if output is None:
            return {}
        if output.schema is None or not self.quirks.takes_output_schema:
            self.losses.append("JSON mode" if output.schema is None else "the schema of the answer")
            return {}
        schema = {"name": output.name or "answer", "schema": bytes(output.schema).decode("utf-8", "replace")}
        return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}

    # --- tools ---

    def _tool_config(self) -> dict[str, Any]:
        """The tools. Those that the conversation called must be named even if the client no longer offers any."""
        choice = self.request.tool_choice or ToolChoice()
        offered = () if choice.mode == "none" and not self.content.called else self.request.tools
        tools = [entry for tool in offered for entry in self._tool(tool, choice)]
        if not tools and self.content.called:
            self.losses.append("tools of earlier turns were named again")
            tools = [_spec(name, name, object_schema(None)) for name in self.content.called]
        if not tools:
            return {}
        return {"tools": tools, **self._choice(choice)}

    def _tool(self, tool: Tool, choice: ToolChoice) -> list[Any]:
        if tool.kind != "function":
            if choice.mode == "named" and choice.name == tool.name:
                raise CannotCarryError(f"only another provider runs the tool {tool.name}")
            self.losses.append(f"tool {tool.kind}")
            return []
        name = self.names(tool.name)
        entry = _spec(name, tool.description.strip() or name, object_schema(tool.schema))
        if tool.is_strict and self.quirks.takes_output_schema:
            entry["toolSpec"]["strict"] = True
        elif tool.is_strict:
            self.losses.append("strict tool schemas")
        if self.family.is_claude:
            return [entry, *self.content.cache_points(tool.native)]
        return [entry]

    def _choice(self, choice: ToolChoice) -> dict[str, Any]:
        if choice.is_parallel is False:
            self.losses.append("the ban on parallel tool calls")
        if choice.mode == "none":
            self.losses.append("the ban on tool calls")
        if choice.mode not in {"required", "named"}:
            return {}
        if not self.family.takes_forced_calls:
            self.losses.append("the duty to call a tool")
            return {}
        return {"toolChoice": {"any": {}} if choice.mode == "required" else {"tool": {"name": self.names(choice.name)}}}


def _spec(name: str, description: str, schema: Any) -> dict[str, Any]:
    return {"toolSpec": {"name": name, "description": description, "inputSchema": {"json": schema}}}
