"""Responses API requests → `chat`. Reading only: nothing is changed, nothing is made up.

Source: the Responses reference, the types of OpenAI's own SDK, and what Codex sends (November 2026).
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Raw

from lynkr_desktop.engine.chat.request import ChatRequest, OutputFormat, TextPart, Thinking, Tool, ToolChoice
from lynkr_desktop.engine.wire.openai_responses.items_in import is_system_item, messages_of, texts_of
from lynkr_desktop.engine.wire.openai_responses.tools import BRINGS_TOOLS, NAME, joined, tools_of
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import Fields, ShapeError

_USER: Final = Raw(b'"user"')
_READ: Final = frozenset(
    {
        *("model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "stream", "max_output_tokens"),
        *("temperature", "top_p", "reasoning", "text", "user"),
        # These say how OpenAI shall keep and tell the answer; `previous_response_id` has been replaced by what it stands for.
        *("store", "include", "stream_options", "background", "previous_response_id"),
    }
)
_CHOICES: Final[dict[str, Literal["auto", "required", "none"]]] = {"auto": "auto", "required": "required", "none": "none"}


def parse_request(body: bytes) -> ChatRequest:
    """Read a client's request. Raises `ClientError(400)` that names the JSON path."""
    try:
        return _request(Fields.parse(body), body)
    except ShapeError as error:
        raise ClientError("The request is not in the form of the Responses API.", f"{error.path}: {error.problem}.") from None


def _request(fields: Fields, body: bytes) -> ChatRequest:
    if fields.flag("background"):
        raise ClientError("Answers in the background are not possible here.", "$.background: leave it out or set it to false.")
    for key, kind in (("store", bool), ("previous_response_id", str)):
        fields.optional(key, kind)  # read later, when nothing may be wrong any more
    items = input_items(fields)
    first = leading_count(items)
    return ChatRequest(
        wire=NAME,
        model=fields.text("model"),
        messages=messages_of(items[first:]),
        body=body,
        fields=fields.raw,
        system=_system(fields, items[:first]),
        tools=_tools(fields, items),
        tool_choice=_tool_choice(fields),
        is_streamed=fields.flag("stream"),
        wants_stream_usage=True,
        max_tokens=fields.optional("max_output_tokens", int),
        temperature=fields.optional("temperature", float),
        top_p=fields.optional("top_p", float),
        thinking=_thinking(fields.optional_fields("reasoning")),
        output=_output(fields.optional_fields("text")),
        user=fields.optional_text("user"),
        unread=_unread(fields),
    )


def _unread(fields: Fields) -> tuple[str, ...]:
    """What no other wire will say; of `text`, only the format is read."""
    text = fields.optional_fields("text")
    has_verbosity = text is not None and text.has("verbosity")
    return tuple(key for key in fields.raw if key not in _READ) + (("text.verbosity",) if has_verbosity else ())


def input_items(fields: Fields) -> list[Fields]:
    """The items of `input`; a string is one message of the user's."""
    kind = fields.kind("input")
    if kind == "string":
        return [Fields({"role": _USER, "content": fields.raw["input"]}, "$.input")]
    if kind not in {"array", "nothing", "null"}:
        raise ShapeError(fields.at("input"), f"expected string or array, got {kind}")
    return list(fields.objects("input"))


def leading_count(items: Sequence[Fields]) -> int:
    """How many system and developer messages open a conversation."""
    return next((index for index, item in enumerate(items) if not is_system_item(item)), len(items))


def _system(fields: Fields, opening: Sequence[Fields]) -> tuple[TextPart, ...]:
    own = fields.text("instructions") if fields.kind("instructions") == "string" else ""
    instructions = (TextPart(own),) if own else ()
    return instructions + tuple(part for item in opening for part in texts_of(item))


def _tools(fields: Fields, items: Sequence[Fields]) -> tuple[Tool, ...]:
    """The listed tools, then those that came to light in the conversation; of one name only the first."""
    tools = tools_of(fields.objects("tools"))
    found = [item for item in items if item.text_or("type", "message") in BRINGS_TOOLS]
    if not found:
        return tools
    by_name = {tool.name: tool for tool in reversed(tools)}
    for item in found:
        for tool in tools_of(item.objects("tools")):
            if by_name.setdefault(tool.name, tool) is tool:
                tools += (tool,)
    return tools


def _tool_choice(fields: Fields) -> ToolChoice | None:
    is_parallel = fields.optional("parallel_tool_calls", bool)
    kind = fields.kind("tool_choice")
    if kind in {"nothing", "null"}:
        return None if is_parallel is None else ToolChoice(is_parallel=is_parallel)
    if kind == "string":
        word = fields.text("tool_choice")
        if word not in _CHOICES:
            raise ShapeError(fields.at("tool_choice"), f"expected auto, required, none or a named tool, got {word[:40]!r}")
        return ToolChoice(_CHOICES[word], is_parallel=is_parallel)
    choice = fields.fields("tool_choice")
    form = choice.text("type")
    if form == "allowed_tools":
        return ToolChoice("required" if choice.text_or("mode", "auto") == "required" else "auto", is_parallel=is_parallel)
    name = joined(choice.text_or("namespace", ""), choice.text_or("name", form))
    return ToolChoice("named", name, is_parallel)


def _thinking(fields: Fields | None) -> Thinking | None:
    effort = fields.optional_text("effort") if fields else None
    return None if effort is None else Thinking(is_enabled=effort != "none", effort=effort)


def _output(text: Fields | None) -> OutputFormat | None:
    form = text.optional_fields("format") if text else None
    kind = form.text_or("type", "text") if form else "text"
    if form is None or kind == "text":
        return None
    schema = form.raw["schema"] if form.has("schema") else None
    return OutputFormat(schema, form.text_or("name", ""), form.optional("strict", bool))
