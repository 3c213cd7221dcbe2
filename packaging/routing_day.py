"""A simulated working day: six conversations of a coding agent, interleaved, and what each way of choosing models makes of them.

    python packaging/routing_day.py [--write]

Each conversation is a list of asks with the number of tool rounds that each sets off, labelled with the tier that it needs. A
task is one ask and its tool rounds; a round adds what a tool usually returns. The clock goes on two minutes between asks and ten
seconds between rounds, so caches grow cold as they do. Prices are those of four usual models, from the program's own table.
`--write` puts the figures into docs/routing-day.md. Nothing is sent anywhere.
"""

import datetime
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import original_rules

from lynkr_desktop.config.settings import TIERS, Routing, Target, Tier, TierTargets
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.choosing import rates_of
from lynkr_desktop.engine.providers.models import facts_of as model_facts
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.routing.gate import Rates
from lynkr_desktop.engine.routing.score import score
from lynkr_desktop.engine.routing.sessions import Sessions, Turn, key_of
from lynkr_desktop.engine.routing.sticky import Surroundings, settled
from lynkr_desktop.engine.routing.tiers import route
from lynkr_desktop.engine.wire import anthropic

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "routing-day.md"
MODELS: Final = {
    Tier.SIMPLE: Target("openai", "gpt-4o-mini"),
    Tier.MEDIUM: Target("anthropic", "claude-haiku-4-5"),
    Tier.COMPLEX: Target("anthropic", "claude-sonnet-4-5"),
    Tier.REASONING: Target("anthropic", "claude-opus-4-5"),
}
ROUTING: Final = Routing(tiers=TierTargets(*((MODELS[tier],) for tier in TIERS)))
SYSTEM_TOKENS: Final = 18_000  # a coding agent's instructions and tools
ROUND_TOKENS: Final = 1_500  # a tool's result and the call before it
ANSWER_TOKENS: Final = 400
CACHE_SECONDS: Final = 300.0
BETWEEN_ASKS, BETWEEN_ROUNDS = 120.0, 10.0
TOOLS: Final = ("Task", "Bash", "Glob", "Grep", "Read", "Edit", "Write", "NotebookEdit", "WebFetch", "WebSearch", "TodoWrite")
HEADERS: Final = {"user-agent": "claude-cli/2.1.330 (external, cli)"}
Ask = tuple[str, Tier, int]  # words, the tier that they need, tool rounds
S, M, C, R = TIERS

DAY: Final[dict[str, tuple[Ask, ...]]] = {
    "prices": (
        ("Customers sometimes see yesterday's prices after a deploy. Find out why and fix it.", C, 14),
        ("run the tests", S, 1),
        ("write a regression test for it", M, 4),
        ("commit with the message 'fix stale prices'", S, 1),
        ("the same happens in the cart of the mobile app, find out why there and fix it too", C, 6),
        ("thanks!", S, 0),
    ),
    "tenants": (
        ("we need multi-tenancy: scope every query by tenant, raw SQL too, and migrate the data without downtime", C, 22),
        ("now do the same for the reports", C, 9),
        ("rename tenantId to tenant_id in src/db/scope.ts", S, 2),
        ("what does RLS stand for?", S, 0),
        ("prove that no query path can read another tenant's rows, by cases over the access layer", R, 8),
        ("add a line to the changelog", S, 2),
    ),
    "exports": (
        ("add a CSV export to the orders table with a progress bar", M, 8),
        ("the button label should be 'Export'", S, 2),
        ("write unit tests for the CSV writer, quotes and newlines included", M, 5),
        ("bump the version to 2.4.0", S, 2),
    ),
    "lock": (
        ("Is our new reader-writer lock starvation-free? Prove it or give an execution in which a writer waits for ever.", R, 6),
        ("show the counterexample as a timeline", R, 1),
        ("implement the fix and a stress test", C, 9),
        ("fix the typo in the comment on line 40", S, 1),
    ),
    "questions": (
        ("what's the difference between a process and a thread?", S, 0),
        ("git command to undo the last commit but keep the files", S, 0),
        ("explain how HTTP caching headers work, with an example", M, 0),
        ("translate 'Save changes' to German", S, 0),
    ),
    "upgrade": (
        ("upgrade the app from React 16 to 18, class components included, and get all tests green", C, 25),
        ("why does the date picker render twice now? it's in DatePicker.tsx", M, 5),
        ("keep going until the type checker is clean", C, 18),
        ("write the release notes in five bullet points", M, 1),
    ),
}


@dataclass
class Conversation:
    """How far one conversation is, and what is cached where."""

    name: str
    turns: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = SYSTEM_TOKENS
    warm: dict[Target, tuple[int, float]] = field(default_factory=dict)  # model → tokens cached there, last used


@dataclass
class Sums:
    """What a day added up to."""

    cost: Decimal = Decimal(0)
    requests: int = 0
    changes_in_tasks: int = 0
    changes: int = 0
    lost_tokens: int = 0  # cached elsewhere and warm, and sent anew because the model changed
    too_low: int = 0  # asks served below the tier that they need
    hard_to_simple: int = 0


Chooser = Callable[[ChatRequest, dict[str, Any], float, int], Target]


def requests(day: dict[str, tuple[Ask, ...]]) -> Iterator[tuple[str, str, Tier, int]]:
    """Conversation, words (empty for the result of a tool), needed tier, and which task of the conversation it is.

    The conversations take turns, one task each.
    """
    for number in range(max(map(len, day.values()))):
        for name, asks in day.items():
            if number < len(asks):
                words, tier, rounds = asks[number]
                yield name, words, tier, number
                for _ in range(rounds):
                    yield name, "", tier, number


def simulate(choose: Chooser) -> Sums:
    """The day under one way of choosing."""
    sums, now = Sums(), 0.0
    talks = {name: Conversation(name) for name in DAY}
    last: dict[str, tuple[int, Target]] = {}
    for name, words, tier, task in requests(DAY):
        talk = talks[name]
        now += BETWEEN_ASKS if words else BETWEEN_ROUNDS
        _go_on(talk, words)
        body = {"model": "m", "max_tokens": 1000, "messages": talk.turns, "tools": [_tool(each) for each in TOOLS]}
        target = choose(anthropic.parse_request(json.dumps(body).encode()), body, now, talk.tokens)
        _count(sums, talk, target, now)
        if name in last and last[name][1] != target:
            sums.changes += 1
            sums.changes_in_tasks += last[name][0] == task
        if words:
            served = next(each for each, its in MODELS.items() if its == target)
            sums.too_low += served.rank < tier.rank
            sums.hard_to_simple += served is Tier.SIMPLE and tier.rank >= Tier.COMPLEX.rank
        last[name] = task, target
    return sums


def _tool(name: str) -> dict[str, Any]:
    return {"name": name, "input_schema": {"type": "object"}}


def _go_on(talk: Conversation, words: str) -> None:
    """The next message: an ask, or the result of a tool that the model called."""
    number = len(talk.turns)
    if words:
        if talk.turns:
            talk.turns.append({"role": "assistant", "content": "Done."})
        talk.turns.append({"role": "user", "content": [{"type": "text", "text": words}]})
        talk.tokens += len(words) // 4
        return
    call = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": "make"}}
    result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "ok"}
    talk.turns += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    talk.tokens += ROUND_TOKENS


def _rates(target: Target) -> Rates:
    found = rates_of(model_facts(target.account, target.model), 0)
    assert found is not None, target
    return found


def _count(sums: Sums, talk: Conversation, target: Target, now: float) -> None:
    """One request's money: what is warm at the model is read, the rest is written."""
    rates = _rates(target)
    cached, used = talk.warm.get(target, (0, -CACHE_SECONDS))
    read = cached if now - used <= CACHE_SECONDS else 0
    elsewhere = max((tokens for tokens, at in talk.warm.values() if now - at <= CACHE_SECONDS), default=0)
    sums.lost_tokens += max(0, elsewhere - read)
    write = talk.tokens - read
    sums.cost += (read * rates.read + write * rates.write + ANSWER_TOKENS * rates.output) / 1_000_000
    sums.requests += 1
    talk.tokens += ANSWER_TOKENS
    talk.warm[target] = talk.tokens, now


def ours() -> Chooser:
    """The program's own way: the score, held to the conversation's model."""
    sessions = Sessions()

    def choose(request: ChatRequest, _body: dict[str, Any], now: float, tokens: int) -> Target:
        facts = facts_of(request, HEADERS)
        fresh = route(ROUTING, facts, score(facts), "m")
        around = Surroundings(
            routing=ROUTING,
            tokens=tokens,
            now=now,
            can_serve=lambda _: True,
            window_of=lambda target: model_facts(target.account, target.model).context_tokens,
            rates_of=lambda target, _: _rates(target),
        )
        key = key_of(facts.session, request)
        standing = sessions.standing(key, now)
        chosen = settled(fresh, facts, standing, around)
        target, tier = chosen.targets[0]
        wanted = standing.wanted if standing and facts.is_tool_turn and chosen.method == "sticky" else chosen.tier
        is_small_talk = chosen.method == "force" and chosen.tier is Tier.SIMPLE
        turn = Turn(key, wanted, facts.message_count > 2 and not is_small_talk, ROUTING)
        sessions.remember(turn, target, tier, tokens + ANSWER_TOKENS, now)
        return target

    return choose


def original(_request: ChatRequest, body: dict[str, Any], _now: float, _tokens: int) -> Target:
    """The original's rules: each request by itself."""
    value = original_rules.score(body)
    return MODELS[next(tier for tier, top in zip(TIERS, (25, 50, 75, 100), strict=True) if value <= top)]


def always(tier: Tier) -> Chooser:
    """One model for everything."""
    return lambda *_: MODELS[tier]


TEXT: Final = """# A simulated working day

Made {date} by `packaging/routing_day.py`: {asks} asks of six conversations with a coding agent, interleaved, with {requests}
requests in all, as each ask sets off rounds of tools. Nothing is sent: tokens are assumed (a start of {start:,}, {round:,} a
round, {answer} an answer), prices are those of the program's table for {models},
and what a provider keeps warm is read at its price for five minutes.
Quality is not simulated: *served below* counts asks that got a lesser tier than the one that their author says they need.

| | cost | against always COMPLEX | model changes | inside a task | warm tokens sent anew | served below | hard to SIMPLE |
|---|---|---|---|---|---|---|---|
{rows}

The asks were written beside the script, not taken from anybody's day, and a few of them decide the sum: read the columns, not the
cents. Inside a task the model never changes, whatever is cheaper for one round.
"""


def main() -> None:
    """Print the day, and write the page if asked to."""
    ways: dict[str, Chooser] = {
        "Lynkr, Auto": ours(),
        "always COMPLEX": always(C),
        "always REASONING": always(R),
        "the original's rules": original,
    }
    found = {name: simulate(choose) for name, choose in ways.items()}
    base = found["always COMPLEX"].cost
    rows = [
        f"| {name} | ${sums.cost:.2f} | {100 * (sums.cost / base - 1):+.0f} % | {sums.changes} | {sums.changes_in_tasks} "
        f"| {sums.lost_tokens:,} | {sums.too_low} | {sums.hard_to_simple} |"
        for name, sums in found.items()
    ]
    page = TEXT.format(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        asks=sum(map(len, DAY.values())),
        requests=found["Lynkr, Auto"].requests,
        start=SYSTEM_TOKENS,
        round=ROUND_TOKENS,
        answer=ANSWER_TOKENS,
        models=", ".join(target.model for target in MODELS.values()),
        rows="\n".join(rows),
    )
    print(page)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page)


if __name__ == "__main__":
    main()
