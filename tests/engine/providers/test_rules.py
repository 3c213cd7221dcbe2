"""The dated rules: sound, found under a model's every spelling, and carried out by the wires. Rows are those of the pitfalls."""

import json
from datetime import date
from typing import Any

import pytest

from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.prepare import passed_on
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.providers.models import quirks_for
from lynkr_desktop.engine.providers.rules import Rule, changed, passing_betas, rules
from lynkr_desktop.engine.wire.contract import Quirks
from tests.engine.wire.speech import A, C, ask, sent


def quirks(provider: str, model: str) -> Quirks:
    return quirks_for(PROVIDERS[provider], model)


def test_every_rule_is_sound() -> None:
    """A date, a source, known providers, known quirks of the right kind, and a name of its own."""
    assert len({rule.id for rule in rules()}) == len(rules())
    for rule in rules():
        assert date(2026, 1, 1) <= date.fromisoformat(rule.seen), rule.id
        assert rule.source.startswith("https://"), rule.id
        assert rule.why.endswith("."), rule.id
        assert set(rule.providers) <= set(PROVIDERS), rule.id
        assert all(pattern == pattern.lower() and "." not in pattern for pattern in rule.models), rule.id
        assert rule.quirks or rule.drops_betas or rule.renames_betas, rule.id
        changed(Quirks(), rule.quirks, place=rule.id)


@pytest.mark.parametrize(
    ("model", "form"),
    [
        ("claude-opus-4-7", "adaptive"),
        ("claude-opus-4-8-20260801", "adaptive"),
        ("claude-opus-5", "adaptive"),
        ("Claude-Sonnet-5[1m]", "adaptive"),
        ("claude-mythos-preview", "adaptive"),
        ("claude-opus-4-6", ""),
        ("claude-sonnet-4-6", ""),
        ("claude-opus-4.5", "budget"),
        ("claude-sonnet-4-5-20250929", "budget"),
        ("claude-sonnet-4-20250514", "budget"),
        ("claude-opus-4-1", "budget"),
        ("claude-haiku-4-5", "budget"),
        ("claude-3-7-sonnet-latest", "budget"),
        ("claude-3-5-haiku-latest", "none"),
        ("claude-of-tomorrow", ""),
    ],
)
def test_the_form_of_thinking_follows_the_model(model: str, form: str) -> None:
    assert quirks("anthropic", model).thinking_form == form


UNSIGNED: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": ""},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
        ],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}]},
]


def test_row_058_deepseeks_messages_get_their_thinking_back() -> None:
    request = ask(A, messages=UNSIGNED, thinking={"type": "enabled", "budget_tokens": 2000}, max_tokens=9000)
    theirs, anthropics = quirks("anthropic", "deepseek-v4-pro"), quirks("anthropic", "claude-sonnet-4-5")
    assert A.suits(request, theirs)
    assert not A.suits(request, anthropics)
    body, rendered = sent(A, request, theirs)
    assert body["messages"] == UNSIGNED
    assert body["thinking"]["budget_tokens"] == 2000
    assert rendered.losses == ()
    assert "thinking" not in json.dumps(sent(A, request, anthropics)[0]["messages"])


def test_row_058_from_another_wire_too() -> None:
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "So.", "reasoning_content": "Hm."},
        {"role": "user", "content": "go on"},
    ]
    body, _ = sent(A, ask(C, messages=history), quirks("anthropic", "deepseek-v4-pro"))
    assert body["messages"][1]["content"][0] == {"type": "thinking", "thinking": "Hm."}
    assert "Hm." not in json.dumps(sent(A, ask(C, messages=history), quirks("anthropic", "claude-opus-4-6"))[0])


def test_row_059_deepseeks_chat_gets_its_reasoning_back() -> None:
    body, rendered = sent(C, ask(A, messages=UNSIGNED), quirks("openai-compatible", "deepseek-reasoner"))
    assert body["messages"][1]["reasoning_content"] == "Hm."
    assert rendered.losses == ()


def test_row_059_a_lost_reasoning_has_a_stand_in() -> None:
    """Without the field the whole conversation would be refused; what stands there is no reasoning, and that is declared."""
    bare = [UNSIGNED[0], {**UNSIGNED[1], "content": UNSIGNED[1]["content"][1:]}, UNSIGNED[2]]
    body, rendered = sent(C, ask(A, messages=bare), quirks("openai-compatible", "deepseek/deepseek-chat"))
    assert body["messages"][1]["reasoning_content"].strip()
    assert any("reasoning" in loss for loss in rendered.losses)
    for provider, model in (("deepseek", "deepseek-reasoner"), ("moonshot", "kimi-k2-thinking")):
        assert quirks(provider, model).needs_reasoning_content
    plain = [UNSIGNED[0], {"role": "assistant", "content": "Hello."}, UNSIGNED[0]]
    body, _ = sent(C, ask(A, messages=plain), quirks("openai-compatible", "deepseek-chat"))
    assert "reasoning_content" not in body["messages"][1]


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "gpt-5"), ("openai-compatible", "mistral-large"), ("llamacpp", "default")]
)
def test_row_061_others_never_see_it(provider: str, model: str) -> None:
    body, rendered = sent(C, ask(A, messages=UNSIGNED), quirks(provider, model))
    assert "reasoning_content" not in body["messages"][1]
    assert "thinking" in rendered.losses


ADAPTIVE = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}, "max_tokens": 32_000}


def test_row_068_adaptive_thinking_passes_where_it_is_known() -> None:
    request = ask(A, **ADAPTIVE)
    for model in ("claude-opus-4-6", "claude-opus-4-7", "claude-sonnet-5", "claude-of-tomorrow"):
        assert A.suits(request, quirks("anthropic", model))


def test_row_068_adaptive_thinking_becomes_a_budget_where_it_is_not() -> None:
    request = ask(A, **ADAPTIVE)
    theirs = quirks("anthropic", "claude-haiku-4-5")
    assert not A.suits(request, theirs)
    body, rendered = sent(A, request, theirs)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 10_000}
    assert "output_config" not in body
    assert rendered.losses == ("effort", "adaptive thinking, a budget in its place")


@pytest.mark.parametrize(("limit", "budget"), [(5000, 2500), (2048, 1024), (2000, None)])
def test_row_068_a_budget_leaves_room_for_the_answer(limit: int, budget: int | None) -> None:
    body, rendered = sent(A, ask(A, **(ADAPTIVE | {"max_tokens": limit})), quirks("anthropic", "claude-sonnet-4-5"))
    assert body.get("thinking") == ({"type": "enabled", "budget_tokens": budget} if budget else None)
    assert rendered.losses


def test_row_068_a_budget_becomes_adaptive_where_it_is_refused() -> None:
    request = ask(A, thinking={"type": "enabled", "budget_tokens": 5000}, max_tokens=9000)
    theirs = quirks("anthropic", "claude-opus-4-7")
    assert not A.suits(request, theirs)
    body, rendered = sent(A, request, theirs)
    assert body["thinking"] == {"type": "adaptive"}
    assert rendered.losses == ("the thinking budget",)
    assert A.suits(request, quirks("anthropic", "claude-opus-4-6"))


def test_row_068_a_model_that_does_not_think_is_not_asked_to() -> None:
    """Nor are context edits sent that need it."""
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    body, rendered = sent(A, ask(A, **ADAPTIVE, context_management=edits), quirks("anthropic", "claude-3-5-haiku-latest"))
    assert {"thinking", "output_config", "context_management"} & set(body) == set()
    assert rendered.losses == ("effort", "thinking, which this model does not do")


def test_row_068_an_effort_goes_only_where_there_is_one() -> None:
    schema = {"type": "json_schema", "schema": {"type": "object"}}
    request = ask(A, output_config={"effort": "low", "format": schema})
    assert A.suits(request, quirks("anthropic", "claude-opus-4-5"))
    body, rendered = sent(A, request, quirks("anthropic", "claude-haiku-4-5"))
    assert body["output_config"] == {"format": schema}
    assert rendered.losses == ("effort",)


def test_row_068_thinking_that_is_off_stays_off() -> None:
    request = ask(A, thinking={"type": "disabled"})
    for model in ("claude-haiku-4-5", "claude-opus-4-7", "claude-3-5-haiku-latest"):
        assert A.suits(request, quirks("anthropic", model))


def _inbound(betas: str) -> Inbound:
    return Inbound("messages", "anthropic", {"anthropic-beta": betas, "cookie": "x"}, b"", "", "id")


@pytest.mark.parametrize(
    ("model", "betas", "kept"),
    [
        ("claude-sonnet-4-5", "interleaved-thinking-2025-05-14, context-1m-2025-08-07", None),
        ("claude-haiku-4-5", "context-1m-2025-08-07,claude-code-20250219", "claude-code-20250219"),
        ("claude-opus-5", "oauth-2025-04-20,a-flag-of-tomorrow", "a-flag-of-tomorrow"),
        ("claude-opus-5", "oauth-2025-04-20", ""),
    ],
)
def test_row_126_beta_flags_that_are_refused_stay_here(model: str, betas: str, kept: str | None) -> None:
    expected = betas.replace(" ", "") if kept is None else kept
    assert passed_on(_inbound(betas), "anthropic", model) == ({"anthropic-beta": expected} if expected else {})


def test_row_126_beta_flags_take_the_providers_own_name() -> None:
    rename = {"advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19"}
    rule = Rule("r", "", "", "", (), drops_betas=("unknown-there",), renames_betas=rename)
    header = "advanced-tool-use-2025-11-20, unknown-there,kept,tool-search-tool-2025-10-19"
    assert passing_betas(header, [rule]) == "tool-search-tool-2025-10-19,kept"


@pytest.mark.parametrize(
    ("provider", "model", "key"),
    [
        ("openai", "gpt-5-mini", "max_completion_tokens"),
        ("openai", "o3-mini", "max_completion_tokens"),
        ("openai-compatible", "gpt-5.1-my-deployment", "max_completion_tokens"),
        ("openai-compatible", "o3", "max_completion_tokens"),
        ("openai-compatible", "o300", "max_tokens"),
        ("openai-compatible", "gpt-oss-120b", "max_tokens"),
        ("openai-compatible", "qwen3-coder", "max_tokens"),
        ("llamacpp", "gpt-5", "max_tokens"),
    ],
)
def test_row_136_the_limit_has_the_providers_name(provider: str, model: str, key: str) -> None:
    body, _ = sent(C, ask(A, max_tokens=77), quirks(provider, model))
    assert {name: body[name] for name in ("max_tokens", "max_completion_tokens") if name in body} == {key: 77}


@pytest.mark.parametrize("model", ["claude-opus-4-7", "claude-opus-4-9", "claude-opus-5", "claude-sonnet-5", "claude-haiku-5-5"])
def test_row_137_sampling_knobs_that_are_refused_are_dropped_and_declared(model: str) -> None:
    for request in (ask(A, temperature=0.5, top_p=0.9, top_k=5), ask(C, temperature=0.5, top_p=0.9)):
        body, rendered = sent(A, request, quirks("anthropic", model))
        assert {"temperature", "top_p", "top_k"} & set(body) == set()
        assert "temperature" in rendered.losses
    assert not A.suits(ask(A, temperature=0.5), quirks("anthropic", model))
    assert A.suits(ask(A, temperature=0.5), quirks("anthropic", "claude-opus-4-6"))


@pytest.mark.parametrize(
    ("provider", "model", "leaks", "starts"),
    [
        ("ollama", "deepseek-r1:8b", True, False),
        ("llamacpp", "DeepSeek-R1-Distill-Qwen-7B-Q4_K_M.gguf", True, True),
        ("openai-compatible", "Qwen/Qwen3-30B-A3B-Thinking-2507", True, True),
        ("lmstudio", "qwen/qwen3-8b", True, False),
        ("llamacpp", "default", False, False),
        ("openrouter", "deepseek/deepseek-r1", False, False),
        ("openai", "gpt-5", False, False),
    ],
)
def test_thinking_aloud_is_looked_for_only_where_it_happens(provider: str, model: str, leaks: bool, starts: bool) -> None:
    found = quirks(provider, model)
    assert (found.leaks_thinking, found.starts_thinking) == (leaks, starts)
