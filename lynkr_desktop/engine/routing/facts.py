"""What the score may know of a request: the last human ask, cleaned, and a few counts. Pure; the work is bounded.

Programs put much around a human's words: reminders, environment, tool results, notices. All of that is taken out here, so
that the same ask is the same text bare, inside any program's envelope, and in every turn of the tool loop that it sets off.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from lynkr_desktop.engine.chat.request import ChatRequest, Message, TextPart, ToolResultPart
from lynkr_desktop.engine.routing.clients import client_of, extra_tools
from lynkr_desktop.engine.routing.envelope import cleaned, cut, is_go_ahead, is_side_request_text, is_side_system
from lynkr_desktop.engine.routing.route import Facts
from lynkr_desktop.engine.surfaces import PROJECT_HEADER, is_project
from lynkr_desktop.json_reader import UNREADABLE

_ASK_CHARS: Final = 3072  # of one ask; long pastes keep head and tail
_PLAN_CHARS: Final = 2000
_EARLIER_CHARS: Final = 2000
_EARLIER_ASKS: Final = 3
_MESSAGES_SEEN: Final = 400  # how far back the walk goes
_PARTS_SEEN: Final = 64  # of one message, the last ones
_SESSION_HEADERS: Final = (
    "x-claude-code-session-id",
    "x-lynkr-session-id",
    "x-session-id",
    "x-claude-session-id",
    "x-claude-session",
    "x-claude-conversation-id",
    "anthropic-session-id",
    "session-id",
    "session_id",
    "thread-id",
    "conversation_id",
    "x-session-affinity",
)
_SESSION_NAMES: Final = frozenset(_SESSION_HEADERS)
_SESSION_KEYS: Final = ("session_id", "sessionId", "conversation_id")
_LONGEST_KEY: Final = 400
_SESSION_CHARS: Final = 128


class _Walk(msgspec.Struct):
    """What one walk from the last message backwards found."""

    asks: list[str] = msgspec.field(default_factory=list)  # newest first
    texts: dict[int, str] = msgspec.field(default_factory=dict)  # the human's words in each message that was seen, by its place
    ask_chars: int = 0
    last_ask_at: int = -1
    tool_results: int = 0
    earlier_tool_results: int = 0


def facts_of(request: ChatRequest, headers: Mapping[str, str]) -> Facts:
    """The facts of a request. Header names are lower case. Same input, same facts; nothing is read but the arguments."""
    names = tuple(tool.name for tool in request.tools)
    client = client_of(headers, names)
    walk = _walk(request.messages)
    text = walk.asks[0] if walk.asks else _compacted(request.messages)
    return Facts(
        text=text,
        earlier_texts=tuple(cut(ask, _EARLIER_CHARS) for ask in walk.asks[1:]),
        client=client,
        message_count=len(request.messages),
        tool_names=extra_tools(client, names),
        all_tool_count=len(names),
        tool_result_count=walk.tool_results,
        has_images=request.has_images,
        has_output_schema=request.output is not None,
        body_bytes=len(request.body),
        is_tool_turn=walk.tool_results > 0 and _is_tool_turn(request.messages),
        session=_session(request, headers, walk),
        text_chars=walk.ask_chars if walk.asks else len(text),
        plan=_plan(request.messages, walk.last_ask_at) if is_go_ahead(text) else "",
        is_side_request=is_side_request_text(text) or (not names and _is_side_system(request)),
        earlier_tool_result_count=walk.earlier_tool_results,
        project=project_of(headers),
    )


def project_of(headers: Mapping[str, str]) -> str:
    """The project that a request belongs to; empty if it names none, or by what cannot be a name."""
    name = headers.get(PROJECT_HEADER, "")
    return name if name and is_project(name) else ""


def _walk(messages: tuple[Message, ...]) -> _Walk:
    walk = _Walk()
    for index in range(len(messages) - 1, max(-1, len(messages) - 1 - _MESSAGES_SEEN), -1):
        message = messages[index]
        if message.role != "user":
            continue
        _see(walk, message, index)
        if len(walk.asks) > _EARLIER_ASKS:
            break
    return walk


def _see(walk: _Walk, message: Message, index: int) -> None:
    text, chars = human_text(message)
    walk.texts[index] = text
    results = sum([isinstance(part, ToolResultPart) for part in message.parts])
    if walk.last_ask_at >= 0:
        walk.earlier_tool_results += results
    elif not text:
        walk.tool_results += results
    if text:
        if walk.last_ask_at < 0:
            walk.last_ask_at, walk.ask_chars = index, chars
        walk.asks.append(text)


def human_text(message: Message) -> tuple[str, int]:
    """The human's own words in a message, cut to a bounded length, and how long they were before the cut."""
    parts = message.parts
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return cleaned(parts[0].text, _ASK_CHARS)
    pieces = []
    chars = 0
    for part in parts[-_PARTS_SEEN:]:
        if isinstance(part, TextPart) and part.text:
            piece, length = cleaned(part.text, _ASK_CHARS)
            if piece:
                pieces.append(piece)
                chars += length
    return cut("\n".join(pieces), _ASK_CHARS), chars


def _is_tool_turn(messages: tuple[Message, ...]) -> bool:
    for message in reversed(messages[-8:]):
        if message.role == "user":
            return any(isinstance(part, ToolResultPart) for part in message.parts)
    return False


def _compacted(messages: tuple[Message, ...]) -> str:
    """Where no human words are left, a program's own summary of the work stands in for them."""
    for message in reversed(messages[-8:]):
        if message.role == "user":
            for part in message.parts[-_PARTS_SEEN:]:
                if isinstance(part, TextPart) and part.text.lstrip().startswith("This session is being continued"):
                    return cut(part.text, _EARLIER_CHARS)
    return ""


def _plan(messages: tuple[Message, ...], ask_at: int) -> str:
    """The assistant's last words before the ask."""
    for message in reversed(messages[max(0, ask_at - 4) : max(0, ask_at)]):
        if message.role == "assistant":
            text = "\n".join(part.text[-_PLAN_CHARS:] for part in message.parts if isinstance(part, TextPart))
            if text.strip():
                return text[-_PLAN_CHARS:].strip()
    return ""


def _is_side_system(request: ChatRequest) -> bool:
    return any(is_side_system(part.text) for part in request.system[:4])


def _session(request: ChatRequest, headers: Mapping[str, str], walk: _Walk) -> str:
    if not _SESSION_NAMES.isdisjoint(headers):
        for name in _SESSION_HEADERS:
            value = headers.get(name)
            if value and not value.isspace():
                return value.strip()[:_SESSION_CHARS]
    return _session_of_body(request) or _fingerprint(request, headers, walk)


def _session_of_body(request: ChatRequest) -> str:
    """`metadata.user_id` of Claude Code, as JSON with a `session_id` or as a name that ends in `_session_…`; or a plain key."""
    for name in _SESSION_KEYS:
        if (value := request.fields.get(name)) is not None and len(value) <= _LONGEST_KEY:
            try:
                return msgspec.json.decode(value, type=str)[:_SESSION_CHARS]
            except msgspec.DecodeError:
                continue
    raw = request.fields.get("metadata")
    if raw is not None and len(raw) <= 4096:
        try:
            user = msgspec.json.decode(raw, type=_Metadata).user_id
        except UNREADABLE:
            user = ""
        if user.startswith("{"):
            try:
                return msgspec.json.decode(user, type=_UserId).session_id[:_SESSION_CHARS]
            except UNREADABLE:
                return ""
        if "_session_" in user:
            return user.rpartition("_session_")[2][:_SESSION_CHARS]
    return ""


class _Metadata(msgspec.Struct):
    user_id: str = ""


class _UserId(msgspec.Struct):
    session_id: str = ""


def _fingerprint(request: ChatRequest, headers: Mapping[str, str], walk: _Walk) -> str:
    """The same for every turn of one conversation: its first human words, the system prompt's head, the user-agent."""
    first = ""
    for index, message in enumerate(request.messages[:16]):
        if message.role == "user":
            seen = walk.texts.get(index)
            first = human_text(message)[0] if seen is None else seen
            if first:
                break
    system = request.system[0].text[:500] if request.system else ""
    seed = "\0".join((first[:2000], system, headers.get("user-agent", "")))
    return "fp-" + hashlib.blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
