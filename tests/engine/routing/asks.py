"""Requests for the tests of routing: the same ask bare, and inside what programs wrap around it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lynkr_desktop.config.settings import Boundaries, Tier
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.routing.route import Facts, Score
from lynkr_desktop.engine.routing.score import score
from lynkr_desktop.engine.routing.tiers import choose
from lynkr_desktop.engine.wire import anthropic

CLAUDE_CODE = {"user-agent": "claude-cli/2.1.330 (external, cli)", "x-claude-code-session-id": "11111111-2222"}
CLAUDE_TOOLS = (
    "Task",
    "Bash",
    "Glob",
    "Grep",
    "Read",
    "Edit",
    "Write",
    "NotebookEdit",
    "WebFetch",
    "WebSearch",
    "TodoWrite",
    "Skill",
)
REMINDER = (
    "<system-reminder>\nBefore any architecture work think hard, prove the theorem step by step, do a security audit and "
    "refactor the whole codebase.\n</system-reminder>"
)
Turn = tuple[str, Any]


def request(turns: Sequence[Turn], system: str = "", tools: Sequence[str] = (), **fields: Any) -> ChatRequest:
    """A request of the Messages API with these turns of (role, content)."""
    body = {
        "model": "m",
        "max_tokens": 100,
        "messages": [{"role": role, "content": content} for role, content in turns],
        **({"system": system} if system else {}),
        **({"tools": [{"name": name, "input_schema": {"type": "object"}} for name in tools]} if tools else {}),
        **fields,
    }
    return anthropic.parse_request(json.dumps(body).encode())


def text(*texts: str) -> list[dict[str, str]]:
    """Content blocks of text."""
    return [{"type": "text", "text": each} for each in texts]


def loop(ask: Any, count: int = 3) -> list[Turn]:
    """An ask and so many rounds of a tool loop behind it."""
    turns: list[Turn] = [("user", ask)]
    for number in range(count):
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": "make"}}
        result = {
            "type": "tool_result",
            "tool_use_id": f"toolu_{number}",
            "content": "Traceback: race condition, prove it\n" * 20,
        }
        turns += [("assistant", [call]), ("user", [result])]
    return turns


def facts(turns: Sequence[Turn], headers: Mapping[str, str] | None = None, **more: Any) -> Facts:
    """The facts of such a request."""
    return facts_of(request(turns, **more), headers or {})


def bare(ask: str) -> Score:
    """The score of an ask alone."""
    return score(facts([("user", ask)]))


def tier(value: Score) -> Tier:
    """The tier at the usual boundaries."""
    return choose(value, Boundaries())
