"""The original's rules (9.0.1) as a scorer, to be measured beside ours. Not part of the program.

Drawn from its public description: thirteen weighted measures of the last user message and of the tools, then the agentic
detector with its boosts and least tiers, and the force rules; faults included, as they are what its users had.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

_TECHNICAL: Final = re.compile(
    r"\b(?:code|function|class|method|variable|api|database|server|client|module|import|export|async|await|promise|component|"
    r"interface|type|struct|enum)\b",
    re.IGNORECASE,
)
_DOMAINS: Final = tuple(
    re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for words in (
        "auth|encrypt|vulnerability|injection|xss|csrf|jwt|oauth|password|credential|secret",
        "model|train|inference|tensor|embedding|neural|llm|transformer|pytorch",
        "microservice|kafka|redis|queue|scale|cluster|replicate|kubernetes|docker",
        "sql|nosql|migration|index|query|transaction|orm|postgres",
        "react|vue|angular|css|html|state|hooks",
        "ci/cd|pipeline|deploy|terraform|ansible|github actions|jenkins",
    )
)
_CHAIN: Final = re.compile(r"\b(?:then|after|next|finally|first\b.*\bthen|step \d)", re.IGNORECASE | re.DOTALL)
_STEPS: Final = re.compile(r"step[- ]by[- ]step", re.IGNORECASE)
_PLANNING: Final = re.compile(r"\b(?:plan|strategy|approach|roadmap)", re.IGNORECASE)
_BUILD: Final = re.compile(
    r"\b(?:write|create|implement|build|generate) (?:an? )?(?:new )?(?:function|class|module|api|endpoint|service|component)\b",
    re.IGNORECASE,
)
_TRADE_OFF: Final = re.compile(r"\btrade-?off\b|pros and cons", re.IGNORECASE)
_ANALYSIS: Final = re.compile(r"\b(?:analy[sz]e|evaluate|assess|compare|review)", re.IGNORECASE)
_NAMED: Final = re.compile(r"\b(?:file|function|line \d+|error|bug|path)\b", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[.!?]+")
_LOCAL: Final = re.compile(
    r"(?:hi|hello|hey|thanks?(?: you)?|bye|goodbye|what (?:time|day|date) is it|yes|no|ok(?:ay)?|sure|got it|understood|help|"
    r"menu|commands?|options?)[\s!.?]*",
    re.IGNORECASE,
)
_CLOUD: Final = re.compile(
    r"security (?:audit|review|assessment)|penetration test|vulnerability scan|architecture (?:review|design|diagram)|"
    r"system design|refactor (?:the )?(?:entire|whole|all)|complete rewrite|(?:code|pr|pull request) review|"
    r"debug\w* (?:an? )?(?:complex|difficult|hard|tricky)|production (?:issue|bug|incident|outage)",
    re.IGNORECASE,
)
_AUTONOMOUS: Final = re.compile(r"figure out|\bsolve\b|make it work|whatever it takes", re.IGNORECASE)
_ITERATIVE: Final = re.compile(r"keep trying|\buntil\b|\bretry\b|\bdebug", re.IGNORECASE)
_TOOL_CHAIN: Final = re.compile(r"then use|after that|step \d", re.IGNORECASE)
_FILES: Final = re.compile(r"multiple files|all files|across|codebase", re.IGNORECASE)
_TESTING: Final = re.compile(r"(?=.*\b(?:implement|build|create|write)\b)(?=.*\btests?\b)", re.IGNORECASE | re.DOTALL)
_TOOL_WEIGHTS: Final = {
    **dict.fromkeys(("bash", "shell", "task"), 0.9),
    **dict.fromkeys(("write",), 0.8),
    **dict.fromkeys(("edit", "notebookedit"), 0.7),
    "websearch": 0.5,
    "webfetch": 0.4,
    "read": 0.3,
    **dict.fromkeys(("glob", "grep"), 0.2),
}
_AGENTIC_TOOLS: Final = ("bash", "shell", "exec", "write", "edit", "task", "spawn", "git", "test", "notebook")
_WEIGHTS: Final = (0.08, 0.10, 0.10, 0.07, 0.08, 0.10, 0.07, 0.10, 0.08, 0.07, 0.05, 0.05, 0.05)
_AGENTIC_STEPS: Final = ((60, 35, 76), (40, 25, 51), (20, 15, 26))  # points, boost, least score of the least tier


def score(request: Mapping[str, Any]) -> float:
    """The score of a request in the Anthropic form, raised to the least tier that its agentic type has."""
    messages, tools = request["messages"], [tool.get("name", "") for tool in request.get("tools") or []]
    text = _text(messages[-1]["content"] if messages[-1]["role"] == "user" else "")
    if _LOCAL.fullmatch(text.strip()):
        return 0.0
    if _CLOUD.search(text):
        return 100.0
    weighted = sum(weight * value for weight, value in zip(_WEIGHTS, _values(messages, tools, text), strict=True))
    points = _agentic(messages, tools, text)
    if _AUTONOMOUS.search(text) and points >= 40:
        points = max(points, 60)
    for least, boost, floor in _AGENTIC_STEPS:
        if points >= least:
            return max(min(100.0, round(weighted) + boost), floor)
    return float(round(weighted))


def length(request: Mapping[str, Any]) -> float:
    """The bare baseline: how long the last user message is, on a curve from 0 to 100."""
    text = _text(request["messages"][-1]["content"])
    return 100.0 * len(text) / (len(text) + 300.0)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content if block.get("type") == "text")


def _steps(value: float, *pairs: tuple[float, float]) -> float:
    return next((result for limit, result in pairs if value < limit), 0.0)


def _values(messages: list[Any], tools: list[str], text: str) -> Iterable[float]:
    tokens = sum(len(_text(message["content"])) for message in messages) / 4
    endless = float("inf")
    yield _steps(tokens, (500, 10), (2000, 30), (5000, 50), (10000, 70), (endless, 90))
    sentences = [each for each in _SENTENCE.split(text) if each.strip()]
    yield min(100.0, len(text) / max(1, len(sentences)) / 2)
    yield 30.0 if _TECHNICAL.search(text) else 0.0
    yield min(100.0, 20.0 * sum(bool(domain.search(text)) for domain in _DOMAINS))
    yield _steps(len(tools), (1, 0), (4, 20), (7, 40), (11, 60), (16, 80), (endless, 100))
    yield 100.0 * sum(_TOOL_WEIGHTS.get(name.lower(), 0.5) for name in tools) / len(tools) if tools else 0.0
    yield 70.0 if _CHAIN.search(text) else 20.0
    yield 80.0 if _STEPS.search(text) else 60.0 if _PLANNING.search(text) else 20.0
    yield 80.0 if _BUILD.search(text) else 20.0
    yield 80.0 if _TRADE_OFF.search(text) else 60.0 if _ANALYSIS.search(text) else 20.0
    yield _steps(len(messages), (3, 10), (6, 30), (10, 50), (endless, 70))
    yield _steps(_results(messages), (1, 10), (3, 40), (6, 60), (endless, 80))
    yield 20.0 if _NAMED.search(text) else 70.0 if len(text) < 50 else 40.0


def _results(messages: list[Any]) -> int:
    contents = [
        message["content"] for message in messages if message["role"] == "user" and not isinstance(message["content"], str)
    ]
    return sum(any(block.get("type") == "tool_result" for block in content) for content in contents)


def _agentic(messages: list[Any], tools: list[str], text: str) -> float:
    acting = sum(any(piece in name.lower() for piece in _AGENTIC_TOOLS) for name in tools)
    results, endless = _results(messages), float("inf")
    phrases = ((_AUTONOMOUS, 25), (_ITERATIVE, 20), (_TOOL_CHAIN, 15), (_FILES, 15), (_PLANNING, 10), (_TESTING, 15))
    return (
        _steps(len(tools), (4, 0), (6, 8), (11, 15), (endless, 25))
        + _steps(acting, (1, 0), (2, 8), (4, 15), (endless, 25))
        + _steps(results, (1, 0), (3, 10), (6, 20), (endless, 30))
        + sum(points for pattern, points in phrases if pattern.search(text))
        + _steps(len(messages), (5, 0), (9, 6), (16, 12), (endless, 20))
        + (10 if len(text) > 2000 else 0)
    )
