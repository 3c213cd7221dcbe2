"""The flat tools of the Responses API as plain functions, and calls of them back in the form that the client knows. Pure.

Three of OpenAI's kinds are run by the client itself, so that any model can be offered them as functions: `custom` (free text,
perhaps of a grammar) is a function with one string field; the tools inside a `namespace` are functions under a joined name;
`tool_search` with `execution: client` is the function that it describes, and what it found is offered from then on. All other
kinds run at OpenAI.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import ChatRequest, Native, Tool
from lynkr_desktop.json_reader import Fields

NAME: Final = "openai_responses"
TOOL_SEARCH: Final = "tool_search"
BRINGS_TOOLS: Final = frozenset({"tool_search_output", "additional_tools"})  # items that offer tools later on
_FREEFORM_SCHEMA: Final = Raw(
    b'{"type":"object","properties":{"input":{"type":"string","description":"The whole input as plain text, not JSON."}},'
    b'"required":["input"],"additionalProperties":false}'
)


class Form(StrEnum):
    """How the client knows a tool that is a function to everybody else."""

    FUNCTION = "function"
    CUSTOM = "custom"
    TOOL_SEARCH = "tool_search"


class Callee(msgspec.Struct, frozen=True):
    """A tool in the client's words."""

    form: Form
    name: str
    namespace: str = ""


def tools_of(items: Iterable[Fields]) -> tuple[Tool, ...]:
    """The tools of a list; a namespace gives one for each tool inside."""
    tools: list[Tool] = []
    for item in items:
        native = Native(NAME, item.raw)
        if item.text_or("type", "function") != "namespace":
            tools.append(_tool(item, native))
            continue
        namespace = item.text("name")
        inner = (_tool(each, native) for each in item.objects("tools"))
        tools.extend(msgspec.structs.replace(tool, name=joined(namespace, tool.name)) for tool in inner)
    return tuple(tools)


def _tool(item: Fields, native: Native) -> Tool:
    description = item.text_or("description", "")
    schema = item.raw["parameters"] if item.has("parameters") else None
    match item.text_or("type", "function"):
        case "function":
            return Tool(item.text("name"), description, schema, is_strict=item.optional("strict", bool), native=native)
        case "custom":
            return Tool(item.text("name"), _with_grammar(description, item), _FREEFORM_SCHEMA, native=native)
        case "tool_search" if item.text_or("execution", "server") == "client":
            return Tool(TOOL_SEARCH, description, schema, native=native)
        case kind:
            return Tool(item.text_or("name", kind), description, kind=kind, native=native)


def _with_grammar(description: str, item: Fields) -> str:
    """A server that knows only functions cannot hold the model to a grammar; the model is told of it instead."""
    form = item.optional_fields("format")
    if form is None or form.text_or("type", "text") != "grammar":
        return description
    syntax, definition = form.text_or("syntax", "lark"), form.text_or("definition", "")
    return f"{description}\n\nThe field `input` must match this {syntax} grammar:\n{definition}".strip()


def joined(namespace: str, name: str) -> str:
    """The name of a tool in a namespace among plain functions."""
    if not namespace:
        return name
    return f"{namespace}{name}" if namespace.endswith("_") else f"{namespace}__{name}"


def callees_of(request: ChatRequest) -> dict[str, Callee]:
    """How the client of a request knows each of its tools that is not simply a function of that name."""
    callees: dict[str, Callee] = {}
    for tool in request.tools:
        if tool.native is None or tool.native.wire != NAME or tool.name in callees:
            continue
        item = Fields(tool.native.fragment)
        kind = item.text_or("type", "function")
        if kind == "namespace":
            namespace = item.text("name")
            name = tool.name.removeprefix(joined(namespace, ""))
            inner = next((each for each in item.objects("tools") if each.text_or("name", "") == name), None)
            is_custom = inner is not None and inner.text_or("type", "function") == "custom"
            callees[tool.name] = Callee(Form.CUSTOM if is_custom else Form.FUNCTION, name, namespace)
        elif kind == "custom":
            callees[tool.name] = Callee(Form.CUSTOM, tool.name)
        elif kind == "tool_search" and tool.kind == "function":
            callees[tool.name] = Callee(Form.TOOL_SEARCH, tool.name)
    return callees


def freeform_arguments(text: str) -> str:
    """The arguments of the function that stands for a custom tool."""
    return json_reader.encode({"input": text}).decode()


def freeform_text(arguments: str) -> str:
    """The free text in such arguments. A model that ignored the form and sent plain text is taken at its word."""
    try:
        value = json_reader.decode(arguments.encode("utf-8", "replace"))
    except json_reader.ShapeError:
        return arguments
    if isinstance(value, str):
        return value
    found = value.get("input") if isinstance(value, dict) else None
    if found is None and isinstance(value, dict) and len(value) == 1:
        found = next(iter(value.values()))  # the right field under a wrong name
    return found if isinstance(found, str) else arguments
