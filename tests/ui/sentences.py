"""All sentences that the window can say, read from the source: constants as they are, and what is handed to `say`."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from lynkr_desktop.engine.routing.dimensions import SIGNALS
from lynkr_desktop.engine.routing.explain import _NOTHING
from lynkr_desktop.engine.routing.rules import _RULES
from lynkr_desktop.ui import client_guides, language

UI = Path(language.__file__).parent
_WORD = re.compile(r"[A-Za-z]{2}")
_NAME = re.compile(r"[a-z]+(?:[_-][a-z0-9]+)+")  # connect_seconds: a value, not words
# What is written alike in every language, and is therefore in no catalogue.
ALIKE = {
    "Lynkr", "DIRECT", "lynkr-settings.json", "https://host/path without /v1", "1h", "24h", "7d", "30d", "requested", "complex",
    "ms", "KDE Wallet", "Windows Credential Manager",
}  # fmt: skip


def sections() -> dict[str, dict[str, bool]]:
    """By module: each sentence in English, and whether it is about a number of things."""
    found: dict[str, dict[str, bool]] = {}
    for name in language.TEXTS:
        tree = ast.parse((UI / f"{name}.py").read_text(encoding="utf-8"))
        told: dict[str, bool] = {}
        for value in language.constants_of(importlib.import_module(f"lynkr_desktop.ui.{name}")).values():
            told.update(dict.fromkeys((words for words in _strings(value) if is_sentence(words)), False))
        for node in ast.walk(tree):
            told.update(_said(node))
        found[name] = told
    guides = (each for guide in client_guides.GUIDES for each in (guide.note, *(step.where for step in guide.steps)))
    found["client_guides"] = dict.fromkeys((words for words in guides if words), False)
    known: set[str] = set()
    for name, told in found.items():  # a sentence stands where it is first
        found[name] = {words: is_counted for words, is_counted in told.items() if words not in known}
        known |= set(told)
    return found


def is_sentence(words: str) -> bool:
    """Is it something to translate?"""
    return bool(_WORD.search(re.sub(r"\{\w+\}", "", words))) and words not in ALIKE and not _NAME.fullmatch(words)


def unsaid(name: str) -> list[str]:
    """Words in functions of a module of sentences that do not go through `say`."""
    tree = ast.parse((UI / f"{name}.py").read_text(encoding="utf-8"))
    return [
        f"{name}.py:{line}: {words}"
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for line, words in _shown(function)
        if is_sentence(words)
    ]


def _strings(value: object) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)


def _said(node: ast.AST) -> Iterator[tuple[str, bool]]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"say", "say_number"}:
        is_counted = node.func.id == "say_number"
        words = node.args[2 if is_counted else 0]
        if isinstance(words, ast.Constant):
            yield str(words.value), is_counted


def _shown(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts of a function that can reach the user: no docstring, no key, nothing compared, nothing given to `say`."""
    children = list(ast.iter_child_nodes(node))
    match node:
        case ast.FunctionDef(body=[ast.Expr(value=ast.Constant()), *rest]):
            children = list(rest)
        case ast.Call(func=ast.Name(id="say" | "say_number" | "getattr"), keywords=keywords):
            children = [keyword.value for keyword in keywords]
        case ast.Call(
            func=ast.Attribute(value=value, attr="removeprefix" | "partition" | "rpartition" | "replace" | "split" | "startswith")
        ):
            children = [value]
        case ast.Compare() | ast.MatchValue() | ast.Subscript() | ast.FormattedValue(format_spec=ast.JoinedStr()):
            children = []
        case ast.Dict(values=values):
            children = list(values)
    for child in children:
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.lineno, child.value
        else:
            yield from _shown(child)


def heard() -> list[str]:
    """Sentences of the engine that the window shows: they come as English text, and are found again in the catalogue.

    Those of every route are read from its tables; the others are those that the German catalogue has.
    """
    tables = [*(signal.reason for signal in SIGNALS), *_NOTHING.values(), *(rule.reason for _, _, rule in _RULES)]
    known = json.loads((UI / "languages" / "de.json").read_text(encoding="utf-8"))["engine"]
    return list(dict.fromkeys([*tables, *known]))
