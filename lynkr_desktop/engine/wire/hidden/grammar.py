"""How models print tool calls: one small grammar for each family, and the fixed texts by which they are told apart. Pure.

As the models' own chat templates have them (seen 2026-11): MiniMax and newer DeepSeek models with `invoke`, GLM, Hermes and Qwen,
Qwen3-Coder, DeepSeek, Kimi, Mistral, Llama, Granite, GPT-OSS, plain tags, and an object without any mark around it.
"""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from lynkr_desktop.engine.wire.hidden.known_tools import Call, KnownTools
from lynkr_desktop.engine.wire.hidden.source import HEAD_LIMIT, Mismatch, Reading, Source

Entry: TypeAlias = Callable[[Source, KnownTools], Reading[list[Call]]]

# Whatever may stand after a call: closing tags, also those whose opening one the model left out, and marks that end a turn.
_CLOSINGS: Final = (
    *("</tool_call>", "</tool_calls>", "</function_call>", "</function_calls>", "</tools>", "</minimax:tool_call>"),
    *("</|DSML|function_calls>", "</|DSML|tool_calls>", "<|tool_calls_end|>", "<|tool_calls_section_end|>", "<|/tool_call|>"),
    *("<|call|>", "<|eom_id|>", "<|eot_id|>", "<|im_end|>", "<|end_of_sentence|>", "<|python_end|>"),
)
_RECIPIENT: Final = re.compile(r"\bto=([\w.:/-]+)")
_IS_TEXT: Final = re.compile(r"""\bstring=["']true["']""")
_FENCE: Final = ("```json", "```")


def block(source: Source, tools: KnownTools, *, is_line_start: bool) -> Reading[list[Call]]:
    """The calls that begin here; the place is after them. Raises `Mismatch` if none does, as early as that is certain."""
    start = source.at
    opening = yield from source.literal(*(_AT_LINE_START if is_line_start else _ANYWHERE))
    if opening in _BARE:
        source.at = start
        return (yield from _bare(source, tools))
    entry, is_part_of_it = _OPENINGS[opening]
    if is_part_of_it:
        source.at = start
    return (yield from _several(source, tools, entry))


def _several(source: Source, tools: KnownTools, entry: Entry) -> Reading[list[Call]]:
    """One call or more, with what may stand between and after them. What is no whole call is left where it is."""
    calls: list[Call] = []
    while True:
        kept = source.at
        try:
            yield from source.blank()
            if calls and (yield from source.maybe(",", ";")):
                yield from source.blank()
            calls += yield from entry(source, tools)
        except Mismatch:
            source.at = kept
            break
    if not calls:
        raise Mismatch
    while (yield from source.is_followed_by(*_CLOSINGS)):
        yield from source.blank()
        yield from source.literal(*_CLOSINGS)
    return calls


def _tagged(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """What stands inside of a tag: JSON, or one of the forms without it."""
    following = yield from source.peek()
    if following in "{[":
        return tools.calls((yield from source.json()))
    if following != "<":
        return (yield from _keys_and_values(source, tools))
    start = source.at
    opening = yield from source.literal(*_INNER)
    source.at = start
    return (yield from _INNER[opening](source, tools))


def _json(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """Llama: `{"name": …, "parameters": {…}}`."""
    return tools.calls((yield from source.json()))


def _keys_and_values(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """GLM: `name`, then `<arg_key>` and `<arg_value>` in turn, up to the closing tag."""
    name = tools.name((yield from source.word()))
    values: dict[str, str] = {}
    while not (yield from source.is_followed_by("</tool_call>")):
        yield from source.blank()
        yield from source.literal("<arg_key>")
        key = yield from source.until("</arg_key>", limit=HEAD_LIMIT)
        yield from source.blank()
        yield from source.literal("<arg_value>")
        values[key.strip()] = yield from _value(source, "</arg_value>", "<arg_key>", "</tool_call>")
    return [tools.typed(name, values)]


def _function(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """Qwen3-Coder: `<function=name>` with `<parameter=key>` inside; Llama has JSON inside."""
    yield from source.literal("<function=")
    name = tools.name((yield from source.until(">", limit=HEAD_LIMIT)))
    yield from source.blank()
    if (yield from source.peek()) == "{":
        arguments = yield from source.json()
        yield from source.blank()
        yield from source.literal("</function>")
        return [tools.call(name, arguments)]
    values: dict[str, str] = {}
    while (yield from source.literal("<parameter=", "</function>")) == "<parameter=":
        key = yield from source.until(">", limit=HEAD_LIMIT)
        value = yield from _value(source, "</parameter>", "<parameter=", "</function>")
        values[key.strip().strip("\"'")] = value.removeprefix("\n").removesuffix("\n")
        yield from source.blank()
    return [tools.typed(name, values)]


def _invoke(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """MiniMax: `<invoke name="…">` with `<parameter name="…">` inside; DeepSeek puts its own mark before each name."""
    mark = (yield from source.literal("<invoke name=", "<|DSML|invoke name=")).removesuffix("invoke name=")[1:]
    name = tools.name((yield from source.until(">", limit=HEAD_LIMIT)))
    opening, closing, end = f"<{mark}parameter name=", f"</{mark}parameter>", f"</{mark}invoke>"
    values: dict[str, str] = {}
    words: set[str] = set()
    yield from source.blank()
    while (yield from source.literal(opening, end)) == opening:
        head = yield from source.until(">", limit=HEAD_LIMIT)
        key = head.split()[0].strip("\"'") if head.strip() else ""
        value = yield from _value(source, closing, opening, end)
        values[key] = value.removeprefix("\n").removesuffix("\n")
        words |= {key} if _IS_TEXT.search(head) else set()
        yield from source.blank()
    return [tools.typed(name, values, words=frozenset(words))]


def _value(source: Source, closing: str, *followers: str) -> Reading[str]:
    """A value up to its closing tag: the one after which the form goes on, for the value may hold such a tag itself."""
    start = source.at
    while True:
        yield from source.until(closing)
        end = source.at - len(closing)
        if (yield from source.is_followed_by(*followers)):
            return source.text[start:end]


def _marked(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """DeepSeek and Kimi: the name between two marks, then JSON, which older DeepSeek models put in a fence."""
    yield from source.literal("<|tool_call_begin|>")
    name = yield from source.until("<|tool_sep|>", "<|tool_call_argument_begin|>", limit=HEAD_LIMIT)
    if name.strip() == "function":
        name = yield from source.until("\n", limit=HEAD_LIMIT)
    name = tools.name(name)
    yield from source.blank()
    if (yield from source.maybe(*_FENCE)):
        yield from source.blank()
    arguments = yield from source.json()
    yield from source.blank()
    if (yield from source.maybe("```")):
        yield from source.blank()
    yield from source.literal("<|tool_call_end|>")
    return [tools.call(name, arguments)]


def _mistral(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """`[TOOL_CALLS]` with an array of calls, or with a name and its arguments."""
    yield from source.literal("[TOOL_CALLS]")
    yield from source.blank()
    if (yield from source.peek()) in "[{":
        return tools.calls((yield from source.json()))
    name = tools.name((yield from source.word()))
    if (yield from source.maybe("[CALL_ID]")):
        yield from source.word()
    yield from source.maybe("[ARGS]")
    yield from source.blank()
    return [tools.call(name, (yield from source.json()))]


def _channel(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """GPT-OSS: a header that names the recipient, then its JSON."""
    yield from source.literal("<|start|>assistant", "<|channel|>")
    header = yield from source.until("<|message|>", limit=HEAD_LIMIT)
    recipient = _RECIPIENT.search(header)
    if recipient is None:
        raise Mismatch
    name = tools.name(recipient[1])
    yield from source.blank()
    call = tools.call(name, (yield from source.json()))
    yield from source.maybe("<|call|>")
    return [call]


def _bare(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """Objects without any mark: only if nothing but white space follows, for else they may be an example."""
    calls = yield from _several(source, tools, _bare_object)
    yield from source.blank()
    if not source.is_over:
        raise Mismatch
    return calls


def _bare_object(source: Source, tools: KnownTools) -> Reading[list[Call]]:
    """An object, or an array of such, that begins by naming a tool. Other JSON is let go at its first key."""
    start = source.at
    if (yield from source.literal("{", "[")) == "[":
        yield from source.blank()
        yield from source.literal("{")
    yield from source.blank()
    key = yield from source.literal('"name"', '"tool"', '"tool_name"', '"function"', '"type"')
    yield from source.blank()
    yield from source.literal(":")
    yield from source.blank()
    if key == '"type"':
        yield from source.literal('"function"')
    elif not (key == '"function"' and (yield from source.maybe("{"))):
        yield from source.literal('"')
        tools.name((yield from source.until('"', limit=HEAD_LIMIT)))
    source.at = start
    return tools.calls((yield from source.json()), needs_arguments=True)


_INNER: Final[dict[str, Entry]] = {"<function=": _function, "<invoke name=": _invoke, "<|DSML|invoke name=": _invoke}
_TAGS: Final = ("<tool_call>", "<tool_calls>", "<function_call>", "<function_calls>", "<tools>", "<minimax:tool_call>")
# What begins a call, with how to read it and whether the beginning is already part of that.
_OPENINGS: Final[dict[str, tuple[Entry, bool]]] = {
    **dict.fromkeys((*_TAGS, "<|DSML|function_calls>", "<|DSML|tool_calls>", "<|tool_call|>"), (_tagged, False)),
    **{opening: (entry, True) for opening, entry in _INNER.items()},
    "<|tool_calls_begin|>": (_marked, False),
    "<|tool_calls_section_begin|>": (_marked, False),
    "<|tool_call_begin|>": (_marked, True),
    "[TOOL_CALLS]": (_mistral, True),
    "<|python_tag|>": (_json, False),
    "<|channel|>": (_channel, True),
    "<|start|>assistant": (_channel, True),
}
_BARE: Final = ("{", "[")
_ANYWHERE: Final = tuple(_OPENINGS)
_AT_LINE_START: Final = (*_OPENINGS, *_BARE)
