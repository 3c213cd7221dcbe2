"""What Codex's app server is told and tells, as JSON: its methods by the installed version, requests, items, failures. Pure.

The server speaks JSON-RPC, a line each. One thread per request: it is given the conversation as items of the Responses API, takes
one turn, and tells the model's own items as they come. Its own tools, servers and instructions are switched off for it, so that
what the model sees is what the client sent. Tried with 0.169 (November 2026).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.naming import fitting
from lynkr_desktop.engine.wire.openai_responses.request_in import input_items, leading_count
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import Fields

_ROLES: Final = {  # our word for a method → how it is called but for capitals and dashes
    "start_thread": "thread/start",
    "add_items": "thread/injectitems",
    "start_turn": "turn/start",
    "interrupt": "turn/interrupt",
    "forget": "thread/unsubscribe",
    "account": "account/read",
    "models": "model/list",
    "settings": "config/read",
}
_NEEDED_FIELDS: Final = frozenset({"baseInstructions", "dynamicTools", "environments", "ephemeral", "experimentalRawEvents"})
_OWN_TOOLS: Final = (
    *("shell_tool", "apps", "plugins", "multi_agent", "view_image", "goals", "hooks", "image_generation", "memories"),
    *("sleep_tool", "tool_suggest", "skill_search", "unified_exec"),
)
_RESERVED: Final = ("mcp__", "apply_patch")  # names of servers of Codex's own, and of the one tool that it always offers
_STAND_IN: Final = "client_"
_NAMES_LIMIT: Final = 64
_KINDS: Final = {
    "contextWindowExceeded": FailureKind.CONTEXT,
    "sessionBudgetExceeded": FailureKind.QUOTA,
    "usageLimitExceeded": FailureKind.QUOTA,
    "rateLimitExceeded": FailureKind.RATE,
    "serverOverloaded": FailureKind.OVERLOADED,
    "internalServerError": FailureKind.OVERLOADED,
    "modelNotFound": FailureKind.NOT_FOUND,
    "unauthorized": FailureKind.AUTH,
    "badRequest": FailureKind.BAD_REQUEST,
    "cyberPolicy": FailureKind.REFUSED,
    "misalignmentPolicyViolation": FailureKind.REFUSED,
}


class Methods(msgspec.Struct, frozen=True):
    """The installed version's names."""

    start_thread: str
    add_items: str
    start_turn: str
    interrupt: str
    forget: str
    account: str
    models: str
    settings: str


def methods_of(requests: Mapping[str, Any], thread_start: Mapping[str, Any]) -> Methods:
    """The names in the schemas of a version's requests. Raises `UpstreamError(PROTOCOL)` if it cannot do what is needed."""
    told = [each["properties"]["method"]["enum"][0] for each in requests.get("oneOf", ())]
    by_plain = {name.replace("_", "").lower(): name for name in told}
    found = {role: by_plain.get(plain, "") for role, plain in _ROLES.items()}
    missing = sorted(_ROLES[role] for role, name in found.items() if not name)
    missing += sorted(_NEEDED_FIELDS - set(thread_start.get("properties", ())))
    if missing:
        detail = f"It lacks {', '.join(missing)}. Update it: npm install -g @openai/codex"
        raise UpstreamError(FailureKind.PROTOCOL, "The installed Codex is another version than this program knows.", detail)
    return Methods(**found)


class Names:
    """Tools under names that Codex takes."""

    def __init__(self, request: ChatRequest) -> None:
        self._told = {tool.name: _name(tool.name) for tool in request.tools}
        self._meant = {told: name for name, told in self._told.items()}

    def told(self, name: str) -> str:
        """What Codex is told."""
        return self._told.get(name) or _name(name)

    def meant(self, name: str) -> str:
        """The client's name; empty for a tool of Codex's own."""
        return self._meant.get(name, "")


def _name(name: str) -> str:
    return fitting(_STAND_IN + name if name.startswith(_RESERVED) else name, _NAMES_LIMIT)


def thread_of(request: ChatRequest, names: Names, folder: str, servers: Sequence[str]) -> dict[str, Any]:
    """How a request's thread is started: with the client's instructions and tools, and nothing of Codex's own."""
    is_silent = request.tool_choice is not None and request.tool_choice.mode == "none"
    tools = [
        {
            "type": "function",
            "name": names.told(tool.name),
            "description": tool.description or tool.name,
            "inputSchema": tool.schema if tool.schema is not None else {"type": "object", "properties": {}},
        }
        for tool in request.tools
        if tool.kind == "function" and not is_silent
    ]
    return {
        "model": request.model,
        "ephemeral": True,
        "cwd": folder,
        "approvalPolicy": "never",
        "sandbox": "read-only",
        "environments": [],
        "baseInstructions": "\n\n".join(part.text for part in request.system),
        "dynamicTools": tools,
        "experimentalRawEvents": True,
        "config": {
            "web_search": "disabled",
            "project_doc_max_bytes": 0,
            "include_environment_context": False,
            "include_permissions_instructions": False,
            "include_apps_instructions": False,
            "include_collaboration_mode_instructions": False,
            "skills": {"include_instructions": False},
            "tools": {"experimental_request_user_input": {"enabled": False}, "update_plan": {"enabled": False}},
            "features": dict.fromkeys(_OWN_TOOLS, False),
            "mcp_servers": {name: {"enabled": False} for name in servers},
        },
    }


def items_of(request: ChatRequest, body: Mapping[str, Any], names: Names) -> list[Any]:
    """The conversation as items. Ids that only OpenAI's memory knows are left out; the system prompt is the thread's own."""
    given = body.get("input") or []
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    items = []
    for item in given[leading_count(input_items(Fields(request.fields))) :]:
        kept = {key: value for key, value in item.items() if key not in {"id", "status"}}
        if kept.get("type") == "function_call":
            kept["name"] = names.told(str(kept.get("name")))
        content = kept.get("content")
        if "role" in kept:
            kept = {"type": "message", **kept}
            if isinstance(content, str):
                kind = "output_text" if kept["role"] == "assistant" else "input_text"
                kept["content"] = [{"type": kind, "text": content}]
        items.append(kept)
    return items


def turn_of(thread: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """How the turn is started; what it is about is in the thread already."""
    turn: dict[str, Any] = {"threadId": thread, "input": []}
    effort = (body.get("reasoning") or {}).get("effort")
    form = (body.get("text") or {}).get("format") or {}
    if effort:
        turn["effort"] = effort
    if form.get("type") == "json_schema":
        turn["outputSchema"] = form.get("schema")
    return turn


def losses_of(request: ChatRequest) -> tuple[str, ...]:
    """What the client asked for and Codex cannot be told."""
    choice = request.tool_choice
    asked = {
        "the output limit": request.max_tokens is not None,
        "a forced tool call": choice is not None and choice.mode in {"required", "named"},
        "the ban on parallel tool calls": choice is not None and choice.is_parallel is False,
    }
    return tuple(loss for loss, is_asked in asked.items() if is_asked)


def usage_of(told: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Codex's figures as the Responses API tells them, added to those of the responses before."""
    old_input, old_output = before.get("input_tokens_details", {}), before.get("output_tokens_details", {})
    read = old_input.get("cached_tokens", 0) + told.get("cachedInputTokens", 0)
    thought = old_output.get("reasoning_tokens", 0) + told.get("reasoningOutputTokens", 0)
    return {
        "input_tokens": before.get("input_tokens", 0) + told.get("inputTokens", 0),
        "input_tokens_details": {"cached_tokens": read},
        "output_tokens": before.get("output_tokens", 0) + told.get("outputTokens", 0),
        "output_tokens_details": {"reasoning_tokens": thought},
    }


def failure_of(error: Mapping[str, Any]) -> UpstreamError:
    """What the failure of a turn means."""
    told, status = error.get("codexErrorInfo"), None
    kind = _KINDS.get(told) if isinstance(told, str) else None
    if isinstance(told, dict):
        inner = next(iter(told.values()), None)
        status = inner.get("httpStatusCode") if isinstance(inner, dict) else None
    words = refusals.shortened(" ".join(str(error.get(key) or "") for key in ("message", "additionalDetails")))
    kind = kind or refusals.kind_of(status, (), words)
    return UpstreamError(kind, refusals.TITLES[kind], words, status=status, code=told if isinstance(told, str) else "")
