"""The language that sentences are shown in, and its catalogue. Holds no sentences itself; no widgets, no settings file.

Sentences are written in English, in `text` and its siblings, and are found in a catalogue by their English words. A constant is
put there as it is: `use` binds the constants of those modules anew. A sentence with parts goes through `say`, one with a number
through `say_number`. How to add one is in CONTRIBUTING.
"""

import importlib
import inspect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent / "languages"
# Where sentences are: siblings of this module.
TEXTS: Final = (
    "format",
    "text",
    "text_clients",
    "text_commands",
    "text_learning",
    "text_money",
    "text_palette",
    "text_pins",
    "text_settings",
    "text_setup",
    "text_tray",
)
ENGINE: Final = "engine"  # the catalogue's section of sentences that come as text: only they are looked for by their shape
Translated = str | list[str]


@dataclass(frozen=True, slots=True)
class Language:
    """A language. `code` is also its catalogue's name; `forms` is how many forms a counted thing has: one, or one and many."""

    code: str
    name: str  # as its speakers write it
    decimal: str = "."
    group: str = ","
    forms: int = 2


ENGLISH: Final = Language("en", "English")
LANGUAGES: Final = (ENGLISH, Language("de", "Deutsch", ",", "."), Language("zh", "简体中文", forms=1))


@dataclass(slots=True)
class _InUse:
    """The language of this process. One, because one person reads it."""

    language: Language = ENGLISH
    sentences: Mapping[str, Translated] = field(default_factory=dict)
    constants: dict[str, dict[str, object]] = field(default_factory=dict)  # of each module, in English


_in_use: Final = _InUse()


def language_of(choice: str, system: Sequence[str]) -> Language:
    """The chosen language; if none is chosen, the first of the system's (`de-AT`, `zh-Hans-CN`) that there is a catalogue for.

    Traditional Chinese is not served by the simplified one.
    """
    for wanted in (choice, *(system if not choice else ())):
        parts = wanted.lower().replace("_", "-").split("-")
        if parts[0] == "zh" and not {"hant", "tw", "hk", "mo"}.isdisjoint(parts):
            continue
        found = next((language for language in LANGUAGES if language.code == parts[0]), None)
        if found is not None:
            return found
    return ENGLISH


def catalogue(language: Language) -> Mapping[str, Translated]:
    """All sentences of a language by their English words; empty for English."""
    return {english: words for section in _sections(language).values() for english, words in section.items()}


def _sections(language: Language) -> dict[str, dict[str, Translated]]:
    if language not in LANGUAGES[1:]:
        return {}
    content: dict[str, dict[str, Translated]] = json.loads((_FOLDER / f"{language.code}.json").read_text(encoding="utf-8"))
    return content


def use(language: Language, sentences: Mapping[str, Translated] | None = None) -> None:
    """Speak this language from now on. What widgets show already stays as it is, so call it before there are any."""
    if language is _in_use.language and sentences is None:
        return
    _in_use.language = language
    _in_use.sentences = catalogue(language) if sentences is None else sentences
    say_back.forget()
    for module in _texts():
        for name, value in constants_of(module).items():
            setattr(module, name, _translated(value))


def say(sentence: str, **parts: object) -> str:
    """A sentence in the language in use. `{name}` in it takes the part of that name."""
    words = _in_use.sentences.get(sentence, sentence)
    if not isinstance(words, str):
        words = words[-1]
    return words.format(**parts) if parts else words


def say_number(number: int, one: str, many: str, **parts: object) -> str:
    """A sentence about a number of things, in the form that the number needs. `{number}` in it is the number.

    A catalogue has it under the words for many, with as many forms as the language has.
    """
    words = _in_use.sentences.get(many, [one, many])
    forms = [words] if isinstance(words, str) else words
    form = forms[0] if number == 1 else forms[-1]
    return form.format(number=grouped(number), **parts)


def grouped(number: float | Decimal, digits: int = 0) -> str:
    """A number with this language's marks: `1,281.50`."""
    plain = f"{number:,.{digits}f}"
    language = _in_use.language
    if language.decimal == ".":
        return plain
    return plain.translate({ord(","): language.group, ord("."): language.decimal})


def plain_number(typed: str) -> str:
    """What somebody typed as a number, with a point: `2,5` is `2.5` where a comma is the decimal mark."""
    return typed.strip().replace(_in_use.language.decimal, ".") if "." not in typed else typed.strip()


def typed_number(plain: str) -> str:
    """A number with a point as somebody would type it: `2.5` is `2,5` where a comma is the decimal mark."""
    return plain.replace(".", _in_use.language.decimal)


class _SayBack:
    """Sentences that come as English text, from the engine or the ledger, found again in the catalogue."""

    def __init__(self) -> None:
        self._patterns: list[tuple[re.Pattern[str], str]] | None = None
        self._known: dict[str, str] = {}

    def __call__(self, sentence: str) -> str:
        """The sentence in the language in use; as it is where the catalogue does not have it."""
        if not sentence or not _in_use.sentences:
            return sentence
        if (words := _in_use.sentences.get(sentence)) is not None:
            return words if isinstance(words, str) else words[-1]
        if sentence not in self._known:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            self._known[sentence] = self._found(sentence)
        return self._known[sentence]

    def forget(self) -> None:
        """Another catalogue is in use."""
        self._patterns = None
        self._known.clear()

    def _found(self, sentence: str) -> str:
        if self._patterns is None:
            self._patterns = _patterns(_sections(_in_use.language).get(ENGINE, {}))
        for pattern, words in self._patterns:
            if match := pattern.fullmatch(sentence):
                return words.format(**match.groupdict())
        return sentence


_MOST_KNOWN: Final = 2000
say_back: Final = _SayBack()


def _patterns(sentences: Mapping[str, Translated]) -> list[tuple[re.Pattern[str], str]]:
    """The sentences with parts, as what they look like; the most exact first."""
    found = []
    for english, words in sentences.items():
        pieces = re.split(r"\{(\w+)\}", english)
        if len(pieces) == 1:
            continue
        pattern = "".join(f"(?P<{piece}>.+?)" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))
        weight = sum(map(len, pieces[::2]))
        found.append((weight, re.compile(pattern, re.DOTALL), words if isinstance(words, str) else words[-1]))
    return [(pattern, words) for _, pattern, words in sorted(found, key=lambda each: -each[0])]


def _texts() -> list[ModuleType]:
    return [importlib.import_module(f"{__package__}.{name}") for name in TEXTS]


def constants_of(module: ModuleType) -> dict[str, object]:
    """A module's public constants as they are in English."""
    if module.__name__ not in _in_use.constants:
        names = [name for name in inspect.get_annotations(module) if name.isupper() and name[0] != "_"]
        _in_use.constants[module.__name__] = {name: getattr(module, name) for name in names}
    return _in_use.constants[module.__name__]


def _translated(value: object) -> Any:
    if type(value) is str:  # no name of an enum: that is a value, not words
        return say(value)
    if isinstance(value, tuple):
        return tuple(_translated(each) for each in value)
    if isinstance(value, dict):
        return {key: _translated(each) for key, each in value.items()}
    return value
