"""`chat` → Gemini requests. What came in this wire goes out as it came; the rest is translated, losses declared.

The model is in the address, which the provider's entry makes; the body never names it.
"""

import re
from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import ChatRequest, Thinking, Tool, ToolChoice
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks, Rendered
from lynkr_desktop.engine.wire.gemini.contents_out import Abilities, ContentsRenderer, own
from lynkr_desktop.engine.wire.gemini.request_in import NAME, either, parse_request, system_parts, tools_of
from lynkr_desktop.engine.wire.gemini.schema import for_google
from lynkr_desktop.engine.wire.naming import ToolNames, losses_of
from lynkr_desktop.json_reader import Fields

STOP_LIMIT: Final = 5
LARGEST_BUDGET: Final = 24576  # thinking tokens that every thinking model takes
_LOW_BUDGET: Final = 4096
_GENERATION: Final = re.compile(r"gemini-(\d+(?:\.\d+)?)")
_BUDGETS: Final = {"minimal": 512, "low": 1024, "medium": 8192}  # from Google's guide to its OpenAI-compatible API
_LEVELS: Final = {"minimal": "minimal", "low": "low", "medium": "medium"}
_MODES: Final = {"auto": "AUTO", "required": "ANY", "named": "ANY", "none": "NONE"}


def abilities_of(model: str) -> Abilities:
    """What the generation that a model's name tells takes. `gemini-flash-latest` and the like tell none: they are the newest.

    Source: Google's guides to thinking and to thought signatures, read in November 2026.
    """
    if not model.startswith("gemini-"):
        return Abilities()
    found = _GENERATION.match(model)
    if found is None or float(found[1]) >= 3:
        return Abilities(has_signatures=True, has_media_in_results=True, thinking="level")
    if float(found[1]) >= 2.5:
        return Abilities(thinking="budget", can_stop_thinking="flash" in model)
    return Abilities()


def renamed(request: ChatRequest, model: str, *, asks_usage: bool) -> bytes:
    """The client's own bytes: model and streaming are in the address, and usage is always told."""
    return request.body


def suits(request: ChatRequest, quirks: Quirks) -> bool:
    """Can the client's own JSON go to this provider as it is?"""
    if not quirks.takes_sampling and (request.temperature, request.top_p, request.top_k) != (None, None, None):
        return False
    return (quirks.takes_images or not request.has_images) and (quirks.takes_tools or not request.tools)


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
        self.abilities = abilities_of(model)
        self.is_own = request.wire == NAME
        self.losses: list[str] = []
        self.names = ToolNames(quirks.names_limit, starts_with_letter=True)
        self.contents = ContentsRenderer(self.abilities, self.names, self.losses, is_own=self.is_own)

    def render(self) -> Rendered:
        request = self.request
        body = self._own_body() if self.is_own else self._body()
        if not self.is_own:
            self.losses.extend(request.unread)
            if request.user is not None:
                self.losses.append("user id")
        return Rendered(json_reader.encode(body), losses_of(self.losses), self.names.renamed)

    def _body(self) -> dict[str, Any]:
        request = self.request
        body: dict[str, Any] = {}
        system = self.contents.system(request)
        if system:
            body["systemInstruction"] = {"parts": system}
        tools = self._tools()
        if tools:
            body["tools"] = tools
            if request.tool_choice is not None:
                self._put_choice(body, request.tool_choice)
        body["contents"] = self.contents.translated(request)
        config = self._config(request)
        if config:
            body["generationConfig"] = config
        return body

    def _own_body(self) -> dict[str, Any]:
        """The client's own object; only what somebody changed is made anew."""
        request, fields = self.request, Fields(self.request.fields)
        original = parse_request(request.body)
        body: dict[str, Any] = {**request.fields}
        self._put_config(body, fields, original)
        if request.messages != original.messages:
            body[either(fields, "contents")] = [self.contents.own(message) for message in request.messages]
        if request.system != system_parts(fields.optional_fields(either(fields, "systemInstruction"))):
            body[either(fields, "systemInstruction")] = {"parts": self.contents.system(request)}
        if request.tools != tools_of(fields):
            body["tools"] = self._tools()
        return body

    def _put_config(self, body: dict[str, Any], fields: Fields, original: ChatRequest) -> None:
        """The client's own settings without those that the model refuses, and with those that somebody changed."""
        before, after = self._config(original), self._config(self.request)
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        self.losses.clear()  # of what stays as it came nothing is lost
        key = either(fields, "generationConfig")
        config = fields.optional_fields(key) or Fields({})
        refused = {"temperature", "topP", "topK"} if not self.quirks.takes_sampling else set()
        dropped = [name for each in sorted(refused) if (name := either(config, each)) in config]
        self.losses.extend(dropped)
        if changed or dropped:
            kept = {name: value for name, value in config.raw.items() if name not in dropped}
            body[key] = {**kept, **{either(config, name): value for name, value in changed.items()}}

    # --- settings ---

    def _config(self, request: ChatRequest) -> dict[str, Any]:
        config: dict[str, Any] = {"maxOutputTokens": request.max_tokens}
        knobs = {"temperature": request.temperature, "topP": request.top_p, "topK": request.top_k}
        if self.quirks.takes_sampling:
            config.update(knobs)
        else:
            self.losses.extend(key for key, value in knobs.items() if value is not None)
        if request.stop:
            if len(request.stop) > STOP_LIMIT:
                self.losses.append(f"stop sequences beyond {STOP_LIMIT}")
            config["stopSequences"] = list(request.stop[:STOP_LIMIT])
        if request.thinking is not None:
            config["thinkingConfig"] = self._thinking(request.thinking)
        if request.output is not None:
            config["responseMimeType"] = "application/json"
            if request.output.schema is not None:
                config["responseJsonSchema"] = self._schema(bytes(request.output.schema))
        return {key: value for key, value in config.items() if value is not None}

    def _thinking(self, thinking: Thinking) -> dict[str, Any] | None:
        """Models of the third generation have levels, those before a budget of tokens."""
        if self.is_own:
            return self._own_thinking(thinking)
        if not self.quirks.takes_reasoning_effort or self.abilities.thinking == "none":
            if thinking.is_enabled:
                self.losses.append("thinking settings")
            return None
        if not thinking.is_enabled:
            return self._without_thinking()
        config: dict[str, Any] = {"includeThoughts": True}
        if self.abilities.thinking == "level":
            config["thinkingLevel"] = self._level(thinking)
        elif thinking.effort is not None:
            config["thinkingBudget"] = _BUDGETS.get(thinking.effort, LARGEST_BUDGET)
        elif thinking.budget_tokens is not None:
            if thinking.budget_tokens > LARGEST_BUDGET:
                self.losses.append(f"thinking tokens beyond {LARGEST_BUDGET}")
            config["thinkingBudget"] = min(thinking.budget_tokens, LARGEST_BUDGET)
        return {key: value for key, value in config.items() if value is not None}

    def _own_thinking(self, thinking: Thinking) -> dict[str, Any]:
        budget = -1 if thinking.is_adaptive else thinking.budget_tokens if thinking.is_enabled else 0
        config = {"includeThoughts": thinking.is_enabled, "thinkingBudget": budget, "thinkingLevel": thinking.effort}
        return {key: value for key, value in config.items() if value is not None}

    def _without_thinking(self) -> dict[str, Any] | None:
        """Not every model can be told not to think: where that is so, it is declared."""
        if self.abilities.can_stop_thinking:
            return {"thinkingBudget": 0}
        self.losses.append("thinking cannot be switched off")
        return None

    def _level(self, thinking: Thinking) -> str | None:
        if thinking.effort is not None:
            return _LEVELS.get(thinking.effort, "high")
        if thinking.budget_tokens is None:
            return None
        return "low" if thinking.budget_tokens <= _LOW_BUDGET else "high"

    # --- tools ---

    def _put_choice(self, body: dict[str, Any], choice: ToolChoice) -> None:
        config: dict[str, Any] = {"mode": _MODES[choice.mode]}
        if choice.mode == "named":
            config["allowedFunctionNames"] = [self.names(choice.name)]
        if choice.mode != "auto":
            body["toolConfig"] = {"functionCallingConfig": config}
        if choice.is_parallel is False:
            self.losses.append("the ban on parallel tool calls")

    def _tools(self) -> list[Any]:
        functions = [self._function(tool) for tool in self.request.tools if tool.kind == "function"]
        rendered: list[Any] = [{"functionDeclarations": functions}] if functions else []
        for tool in self.request.tools:
            if tool.kind == "function":
                continue
            fragment = own(tool.native)
            if fragment is not None:
                rendered.append(fragment)
                continue
            choice = self.request.tool_choice
            if not functions or (choice is not None and choice.mode == "named" and choice.name == tool.name):
                raise CannotCarryError(f"only another provider runs the tool {tool.name}")
            self.losses.append(f"tool {tool.kind}")
        return rendered

    def _function(self, tool: Tool) -> Any:
        fragment = own(tool.native)
        if fragment is not None:
            return fragment
        function: dict[str, Any] = {"name": self.names(tool.name), "description": tool.description or tool.name}
        if tool.schema is not None and json_reader.kind_of(tool.schema) == "object":
            function["parametersJsonSchema"] = self._schema(bytes(tool.schema))
        if tool.is_strict:
            self.losses.append("strict tool schemas")
        extras = tool.native.fragment if tool.native is not None else {}
        if "cache_control" in extras:
            self.losses.append("cache markers")
        return function

    def _schema(self, schema: bytes) -> Any:
        cleaned = for_google(schema)
        self.losses.extend(f"schema keyword {keyword}" for keyword in cleaned.dropped)
        return cleaned.schema
