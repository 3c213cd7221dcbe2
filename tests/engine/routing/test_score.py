"""The score means what it says: easy asks low, hard asks high, in every language, and the envelope changes no tier."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import Tier
from lynkr_desktop.engine.routing.dimensions import SIGNALS
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.routing.route import Facts
from lynkr_desktop.engine.routing.score import START, place, score
from lynkr_desktop.engine.routing.words import CONCEPTS
from lynkr_desktop.engine.wire import openai_responses
from tests.engine.routing.asks import CLAUDE_CODE, CLAUDE_TOOLS, REMINDER, bare, facts, loop, text, tier
from tests.engine.wire.speech import recorded

S, M, C, R = Tier.SIMPLE, Tier.MEDIUM, Tier.COMPLEX, Tier.REASONING


@pytest.mark.parametrize(
    ("ask", "tiers"),
    [
        ("hi there, how are you?", (S,)),
        ("What is the capital of France?", (S,)),
        ("Write a Python function that reverses a linked list.", (S, M)),
        ("Prove that the square root of 2 is irrational.", (R,)),
        ("Compare the trade-offs of REST and GraphQL for a mobile client.", (M, C)),
        ("Design a distributed rate limiter with redis, explain the pros and cons, and implement a service class.", (C,)),
        ("Fix the bug in src/app.py line 42", (S, M)),
        ("Figure out why the build fails and keep trying until it works.", (C,)),
        ("Security audit of the login flow", (C,)),
        ("Refactor the whole payment pipeline into services, keep the API, migrate the data and add tests.", (C,)),
        ("How safe is the JWT handling in our bank's login? Audit it for vulnerabilities and rank them.", (C,)),
        ("Translate to German: prove the theorem", (S,)),
        ("format this JSON: {}", (S,)),
        ("Write a one-line commit message for: fixed the consensus protocol", (S,)),
    ],
)
def test_known_asks_have_sane_tiers(ask: str, tiers: tuple[Tier, ...]) -> None:
    assert tier(bare(ask)) in tiers


@pytest.mark.parametrize(
    "ask",
    [
        "Prove that the scheduler never starves a thread, or give a counterexample.",
        "Beweise, dass der Scheduler keinen Thread verhungern lässt, oder gib ein Gegenbeispiel an.",
        "Démontre que l'ordonnanceur n'affame aucun fil, ou donne un contre-exemple.",
        "Demuestra que el planificador no deja ningún hilo sin atender, o da un contraejemplo.",
        "Prove que o escalonador nunca esquece uma thread ou dê um contraexemplo.",
        "Dimostra che lo scheduler non affama nessun thread, oppure dai un controesempio.",
        "Докажи, что планировщик не морит потоки голодом, или приведи контрпример.",
        "证明调度器不会让任何线程饥饿，或给出反例。",
        "このスケジューラが飢餓を起こさないことを証明するか、反例を示してください。",
        "이 스케줄러에서 기아가 발생하지 않음을 증명하거나 반례를 제시하세요.",
    ],
)
def test_a_proof_is_reasoning_in_every_language(ask: str) -> None:
    assert tier(bare(ask)) is R


@pytest.mark.parametrize(
    "ask",
    [
        "Rename the variable foo to bar.",
        "Benenne die Variable foo in bar um.",
        "Renomme la variable foo en bar.",
        "Renombra la variable foo a bar.",
        "Renomeie a variável foo para bar.",
        "Rinomina la variabile foo in bar.",
        "Переименуй переменную foo в bar.",
        "把变量 foo 重命名为 bar。",
        "変数名 foo を bar に変更してください。",
        "변수 이름을 foo에서 bar로 바꿔 주세요.",
    ],
)
def test_a_rename_is_simple_in_every_language(ask: str) -> None:
    assert tier(bare(ask)) is S


@pytest.mark.parametrize(
    "ask",
    [
        "In our lock-free consensus engine, rename the variable foo to bar.",
        'Fix the typo in this line: "// prove the distributed protocol linearizable"',
        "Who proved Fermat's last theorem?",
        "what is a linearizable register?",
    ],
)
def test_frightening_words_alone_are_not_hard(ask: str) -> None:
    assert tier(bare(ask)) is S


@pytest.mark.parametrize(
    "ask",
    [
        "Build a proof of concept for the search page.",
        "Make the date helper future-proof.",
        "Add an argument to the function that sets the timeout.",
        "Save the table in JSON format and show that it worked.",
        "この関数の使い方の例を示してください。",
        "以 JSON 形式输出这个列表。",
    ],
)
def test_everyday_words_of_proof_and_form_are_not_reasoning(ask: str) -> None:
    assert tier(bare(ask)) is not R


ASKS = (
    "What does HTTP 418 mean?",
    "rename foo to bar in a.py",
    "Write pytest tests for the slugify helper, edge cases included.",
    "Our workers deadlock now and then under load. Find the cause.",
    "Prove that the merge function is associative or give a counterexample.",
)


@pytest.mark.parametrize("ask", ASKS)
def test_the_envelope_changes_no_tier(ask: str) -> None:
    alone = tier(bare(ask))
    system = "You are an agent. Prove, audit, design and refactor everything." * 50
    history = [("user", "Prove that P is not NP."), ("assistant", "Hard."), ("user", "thanks"), ("assistant", "Sure.")]
    wrapped = (
        facts([("user", text(REMINDER, ask))], CLAUDE_CODE, system=system, tools=CLAUDE_TOOLS),
        facts([("user", ask)], tools=[f"tool_{number}" for number in range(30)]),
        facts([*history, ("user", ask)]),
        facts([*loop("find the leak", 4), ("assistant", "Found."), ("user", ask)], CLAUDE_CODE, tools=CLAUDE_TOOLS),
    )
    assert [tier(score(each)) for each in wrapped] == [alone] * 4


@pytest.mark.parametrize("ask", ASKS)
def test_a_tool_loop_keeps_the_score_of_its_ask(ask: str) -> None:
    turns = loop(text(REMINDER, ask), 4)
    scores = {score(facts(turns[: 1 + 2 * done], CLAUDE_CODE, tools=CLAUDE_TOOLS)).value for done in range(5)}
    assert len(scores) == 1


def test_recorded_tool_loops_keep_their_score() -> None:
    found: dict[str, set[int]] = {}
    for each in recorded():
        wire, body = each.values
        known = facts_of(wire.parse_request(body), {"user-agent": "recorded"})
        if not known.is_side_request:
            found.setdefault(str(each.id).rpartition("-")[0], set()).add(score(known).value)
    assert all(len(values) == 1 for values in found.values()), found


def test_recorded_responses_loops_keep_the_score_of_the_bare_ask() -> None:
    for known in responses():
        assert known.text.startswith("[case-")
        assert tier(score(known)) is tier(bare(known.text))
        assert "codex" not in known.client or (known.tool_names, score(known).value) == ((), bare(known.text).value)


def responses() -> list[Facts]:
    """The facts of recorded requests of the Responses API; none where there are no recordings."""
    folder = Path(__file__).parents[4] / "shared" / "recordings"
    found = [each for file in sorted(folder.glob("*.json")) for each in json.loads(file.read_text("utf-8"))]
    return [
        facts_of(openai_responses.parse_request(json.dumps(each["body"]).encode()), each["headers"])
        for each in found
        if each["path"].endswith("/responses")
    ]


PLAN = "Plan: 1) move the sessions out of 14 controllers, 2) design a store with Redis, 3) migrate live sessions. Start?"


@pytest.mark.parametrize(
    "go", ["yes", "go on", "continue", "ok, do it", "weiter", "oui, continue", "adelante", "继续", "да, продолжай"]
)
def test_a_go_ahead_is_as_hard_as_what_it_sets_off(go: str) -> None:
    look = ("user", "Have a look and tell me what you would do.")
    assert tier(score(facts([look, ("assistant", "Shall I rename `tmp` to `buffer`?"), ("user", go)]))) is S
    assert tier(score(facts([look, ("assistant", PLAN), ("user", go)]))) is C


def test_hard_work_in_progress_stays_hard_through_a_go_ahead() -> None:
    turns = [("user", "Prove that the merge is associative."), ("assistant", "Step one is done. Shall I?"), ("user", "continue")]
    assert tier(score(facts(turns))) is R


def test_the_same_again_is_as_hard_as_before() -> None:
    before = "Add input validation and tests to the update endpoint."
    follow = score(facts([("user", before), ("assistant", "Done."), ("user", "now do the same for delete")]))
    assert follow.value == bare(before).value


def test_a_side_request_is_simple_however_hard_the_talk() -> None:
    asked = facts([("user", "Prove that P is not NP.")], system="You are a title generator. Reply with the title only.")
    found = score(asked)
    assert tier(found) is S
    assert found.forced


def test_dimensions_lead_from_the_start_to_the_score() -> None:
    found = bare("Design a booking system with time zones, buffers, and no double bookings under load.")
    assert abs(START + sum(each.points for each in found.dimensions) - found.value) < 1
    assert all(each.value for each in found.dimensions)


LOGITS = st.floats(-12, 12)


@given(LOGITS, LOGITS, LOGITS, st.integers(0, 2), st.floats(0, 6))
def test_the_score_never_falls_where_a_head_says_more(one: float, two: float, three: float, at: int, more: float) -> None:
    before = [one, two, three]
    after = [logit + more * (each == at) for each, logit in enumerate(before)]
    assert 0.0 <= place((one, two, three)) <= place((after[0], after[1], after[2])) + 1e-9 <= 100.0 + 1e-9


@pytest.mark.parametrize(
    ("logits", "low", "high"), [((-1, -2, -3), 0, 25), ((1, -2, -3), 25, 50), ((3, 1, -3), 50, 75), ((5, 3, 1), 75, 100)]
)
def test_the_heads_say_the_tier_and_the_boundaries_hold_it(logits: tuple[float, float, float], low: int, high: int) -> None:
    assert low < place(logits) < high


def test_signals_have_different_names_and_a_sentence() -> None:
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)
    assert all(signal.reason.endswith(".") for signal in SIGNALS)


def test_no_entry_of_the_lexicon_is_twice_in_its_concept() -> None:
    for concept, entries in CONCEPTS.items():
        words = entries.split()
        assert len(words) == len(set(words)), concept


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 50_000,
        "a/b-c." * 20_000,
        '"' * 50_000,
        "`" * 50_001,
        "prove " * 20_000,
        "<task " * 20_000,
        "\n a" * 20_000,
        "1. " * 20_000,
    ],
    ids=range(8),
)
def test_hostile_texts_are_read_in_bounded_work(hostile: str) -> None:
    found = facts([("user", hostile)])
    assert len(found.text) < 10_000
    assert 0 <= score(found).value <= 100
    assert 0 <= score(Facts(text=hostile[:10_000])).value <= 100


@given(st.text(max_size=400), st.integers(0, 10**7), st.lists(st.text(max_size=12), max_size=30), st.integers(0, 50))
def test_any_text_has_one_score_from_0_to_100(ask: str, chars: int, tools: list[str], results: int) -> None:
    known = Facts(text=ask, text_chars=chars, tool_names=tuple(tools), earlier_tool_result_count=results)
    assert 0 <= score(known).value <= 100
    assert score(known) == score(known)
