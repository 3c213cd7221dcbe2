"""A cheaper model first, its answer checked before anybody sees it: which requests may be tried so, what makes an answer fail.

Pure. The checks are objective: they find what is broken, not what is merely poor. A trial saves the difference in price where the
answer passes, and costs the time and money of the cheaper answer where it does not.
"""

import json
import re
from collections import Counter
from typing import Final

import msgspec

from lynkr_desktop.config.settings import TIERS, Cascade, Routing, Target, Tier
from lynkr_desktop.engine.chat.events import StopReason
from lynkr_desktop.engine.chat.request import ChatRequest, TextPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.routing.route import Facts, Route

_MOST_MESSAGES: Final = 2  # a longer conversation would have to be read anew, and is cached elsewhere
_FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_RUN: Final = 5  # words of a phrase
_MOST_REPEATS: Final = 5
_MOST_REPEATED_SHARE: Final = 0.08
_FOREIGN_LETTERS: Final = 6
_FOREIGN_SHARE: Final = 0.02
_CHECKED_CHARS: Final = 60_000
_CANNOT: Final = r"(?:can'?t|cannot|can not|(?:am|'m) (?:unable|not able) to)"
_GIVES_UP: Final = re.compile(
    rf"\s*(?:i'?m sorry|i am sorry|sorry|i apologi[sz]e|unfortunately)[,;]?\s+(?:but\s+)?i ?{_CANNOT}\b"
    rf"|\s*as an ai(?: language)? model\b|\s*i ?{_CANNOT} (?:help|assist|answer|do that)\b",
    re.IGNORECASE,
)
_SCRIPTS: Final = {
    "Chinese or Japanese": re.compile(r"[\u3040-\u30ff\u3400-\u9fff]"),
    "Korean": re.compile(r"[\uac00-\ud7af]"),
    "Cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "Arabic": re.compile(r"[\u0600-\u06ff]"),
    "Thai": re.compile(r"[\u0e00-\u0e7f]"),
    "Devanagari": re.compile(r"[\u0900-\u097f]"),
}


class Trial(msgspec.Struct, frozen=True):
    """A cheaper target to try before the route's own."""

    target: Target
    tier: Tier


def trial_of(route: Route, request: ChatRequest, facts: Facts, routing: Routing, kind: Cascade) -> Trial | None:
    """The first target of the tier beneath, where the score chose MEDIUM or COMPLEX and a young conversation wants only text."""
    if kind is Cascade.OFF or (request.is_streamed and kind is not Cascade.ALL):
        return None
    if route.method != "score" or route.tier not in (Tier.MEDIUM, Tier.COMPLEX):
        return None
    if request.tools or facts.has_images or facts.message_count > _MOST_MESSAGES:
        return None
    beneath = TIERS[route.tier.rank - 1]
    targets = routing.tiers.of(beneath)
    if not targets or targets[0] == route.targets[0][0]:
        return None
    return Trial(targets[0], beneath)


def with_trial(route: Route, trial: Trial) -> Route:
    """The route with the trial before all others."""
    first = (trial.target, trial.tier)
    return msgspec.structs.replace(route, targets=(first, *(rung for rung in route.targets if rung[0] != trial.target)))


def passed(route: Route, trial: Trial) -> Route:
    """The route of an answer that passed."""
    reason = f"{trial.tier}: {trial.target.model} was tried first and its answer passed the checks. {route.reason}"
    return msgspec.structs.replace(route, tier=trial.tier, method="cascade", reason=reason)


def fault_of(request: ChatRequest, response: ChatResponse, ask: str) -> str:
    """What is wrong with an answer, in a few words; empty if nothing is."""
    text = "\n".join(part.text for part in response.parts if isinstance(part, TextPart))[:_CHECKED_CHARS]
    if not text.strip():
        return "it is empty"
    if response.reason is StopReason.LENGTH:
        return "it was cut off at its longest length"
    if response.reason in (StopReason.REFUSAL, StopReason.CONTEXT):
        return "the model declined"
    if request.output is not None:
        return _fault_of_json(request, text)
    if len(_FENCE.findall(text)) % 2:
        return "a block of code has no end"
    if _GIVES_UP.match(text):
        return "the model gives up"
    if text.strip().casefold() == ask.strip().casefold():
        return "it repeats the question"
    return _fault_of_words(text) or _fault_of_script(text, ask, request)


def last_words(request: ChatRequest) -> str:
    """What the user wrote last, as it came."""
    for message in reversed(request.messages):
        if message.role == "user":
            return "\n".join(part.text for part in message.parts if isinstance(part, TextPart))
    return ""


def _fault_of_json(request: ChatRequest, text: str) -> str:
    """The answer must be JSON, and an object with what the schema requires at its top."""
    try:
        found = json.loads(text)
    except ValueError:
        return "it is not the JSON that was asked for"
    if request.output is None or request.output.schema is None:
        return ""
    try:
        schema = msgspec.json.decode(request.output.schema, type=_Schema)
    except msgspec.DecodeError:
        return ""
    if not isinstance(found, dict):
        return "it is not the JSON object that was asked for"
    missing = [name for name in schema.required if name not in found]
    return f"its JSON lacks {missing[0]}" if missing else ""


class _Schema(msgspec.Struct):
    required: list[str] = []


def _fault_of_words(text: str) -> str:
    """A phrase that comes again and again."""
    words = text.split()
    runs = Counter(zip(*(words[start:] for start in range(_RUN)), strict=False))
    if not runs:
        return ""
    count = max(runs.values())
    is_much = count >= _MOST_REPEATS and count * _RUN > _MOST_REPEATED_SHARE * len(words)
    return "it repeats itself" if is_much and not _is_tabular(text) else ""


def _is_tabular(text: str) -> bool:
    """Tables and code repeat by right."""
    return bool(_FENCE.search(text)) or text.count("|") > text.count("\n")


def _fault_of_script(text: str, ask: str, request: ChatRequest) -> str:
    """Letters of a script that nobody wrote before."""
    for name, letters in _SCRIPTS.items():
        count = len(letters.findall(text))
        is_foreign = count >= _FOREIGN_LETTERS and count > _FOREIGN_SHARE * len(text)
        if is_foreign and not letters.search(ask) and not any(letters.search(part.text) for part in request.system):
            return f"it falls into {name}"
    return ""
