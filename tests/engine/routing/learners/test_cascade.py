"""Which requests a cheaper model may try, and which of its answers are broken."""

from dataclasses import replace

import msgspec
import pytest
from msgspec import Raw

from lynkr_desktop.config.settings import Cascade, Mode, ModeKind, Routing, Target, Tier, TierTargets
from lynkr_desktop.engine.chat.events import StopReason, Usage
from lynkr_desktop.engine.chat.request import ChatRequest, Message, OutputFormat, TextPart, ThinkingPart, Tool
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.routing.learners.cascade import Trial, fault_of, last_words, passed, trial_of, with_trial
from lynkr_desktop.engine.routing.route import Facts, Score
from lynkr_desktop.engine.routing.tiers import route

SMALL, MIDDLE, BIG, DEEP = (Target("a", name) for name in ("small", "middle", "big", "deep"))
ROUTING = Routing(tiers=TierTargets((SMALL,), (MIDDLE,), (BIG,), (DEEP,)))
ASK = "Compare both ways to cache the page and say which one fits."
FACTS = Facts(ASK, message_count=1)


def _request(
    ask: str = ASK, output: OutputFormat | None = None, *, is_streamed: bool = False, tools: tuple[Tool, ...] = ()
) -> ChatRequest:
    message = Message("user", (TextPart(ask),))
    return ChatRequest("openai_chat", "m", (message,), b"", {}, output=output, is_streamed=is_streamed, tools=tools)


def _trial(
    value: int = 40,
    facts: Facts = FACTS,
    request: ChatRequest | None = None,
    kind: Cascade = Cascade.WHOLE,
    routing: Routing = ROUTING,
) -> Trial | None:
    return trial_of(route(routing, facts, Score(value), "m"), request or _request(), facts, routing, kind)


def test_what_may_be_tried() -> None:
    """One tier beneath, never two, and only where it was the score that chose."""
    assert _trial(40) == Trial(SMALL, Tier.SIMPLE)
    assert _trial(60) == Trial(MIDDLE, Tier.MEDIUM)
    for value in (10, 90):
        assert _trial(value) is None
    pinned = Mode(ModeKind.PIN, Tier.COMPLEX)
    assert _trial(60, routing=replace(ROUTING, mode=pinned)) is None


@pytest.mark.parametrize(
    "facts", [msgspec.structs.replace(FACTS, has_images=True), msgspec.structs.replace(FACTS, message_count=3)]
)
def test_pictures_and_long_conversations_are_not(facts: Facts) -> None:
    assert _trial(facts=facts) is None


def test_tools_and_streams_are_not() -> None:
    assert _trial(request=_request(tools=(Tool("read"),))) is None
    assert _trial(request=_request(is_streamed=True)) is None
    assert _trial(request=_request(is_streamed=True), kind=Cascade.ALL) is not None
    assert _trial(kind=Cascade.OFF) is None


def test_its_route() -> None:
    own = route(ROUTING, FACTS, Score(60), "m")
    tried = with_trial(own, Trial(MIDDLE, Tier.MEDIUM))
    assert tried.targets == ((MIDDLE, Tier.MEDIUM), (BIG, Tier.COMPLEX), (DEEP, Tier.REASONING), (SMALL, Tier.SIMPLE))
    done = passed(tried, Trial(MIDDLE, Tier.MEDIUM))
    assert (done.tier, done.method) == (Tier.MEDIUM, "cascade")
    assert done.reason.startswith("MEDIUM: middle was tried first and its answer passed the checks. COMPLEX: ")


def _fault(text: str, ask: str = ASK, output: OutputFormat | None = None, reason: StopReason = StopReason.END) -> str:
    response = ChatResponse("r", "m", (ThinkingPart("hm"), TextPart(text)), reason, Usage())
    return fault_of(_request(ask, output), response, ask)


GOOD = (
    "Both ways work. The first one keeps the page in memory, which is quick; the second one asks the disk and survives a restart."
)
ANY, WITH_NAME = OutputFormat(), OutputFormat(Raw(b'{"type":"object","required":["name"]}'))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("  \n", "it is empty"),
        ("```python\nprint(1)\n", "a block of code has no end"),
        ("I'm sorry, but I can't help with caching.", "the model gives up"),
        ("As an AI language model, I have no pages.", "the model gives up"),
        (f" {ASK.upper()} ", "it repeats the question"),
        (12 * "and then it goes on to the next one. ", "it repeats itself"),
        (f"{GOOD} 我认为第一种方法更好一些", "it falls into Chinese or Japanese"),
    ],
)
def test_broken_answers(text: str, fault: str) -> None:
    assert _fault(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "Sorry for the delay in the page: it cannot be avoided, but the second way halves it.",
        "```python\nprint(1)\n```\nand\n~~~\nx\n~~~",
        "| a | b |\n" * 40,
        "42",
        "Der erste Weg ist schneller, aber „naïve“ Caches altern. Ω, π and 你 are fine.",
    ],
)
def test_sound_answers(text: str) -> None:
    assert not _fault(text)


def test_ends_that_are_none() -> None:
    assert _fault(GOOD, reason=StopReason.LENGTH) == "it was cut off at its longest length"
    assert _fault(GOOD, reason=StopReason.REFUSAL) == "the model declined"


def test_a_script_that_the_user_wrote_is_not_foreign() -> None:
    assert not _fault("第一种方法更好，因为它把页面保存在内存中", "哪种方法更好？")


def test_json_that_was_asked_for() -> None:
    assert not _fault('{"name": "x"}', output=WITH_NAME)
    assert not _fault("[1, 2]", output=ANY)
    assert _fault("Here it is: {}", output=ANY) == "it is not the JSON that was asked for"
    assert _fault('{"title": "x"}', output=WITH_NAME) == "its JSON lacks name"
    assert _fault("[]", output=WITH_NAME) == "it is not the JSON object that was asked for"


def test_the_last_words() -> None:
    messages = (
        Message("user", (TextPart("first"),)),
        Message("assistant", (TextPart("x"),)),
        Message("user", (TextPart("last"),)),
    )
    assert last_words(msgspec.structs.replace(_request(), messages=messages)) == "last"
