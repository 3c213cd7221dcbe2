"""Exchanges for the store's tests."""

from typing import Any

import msgspec

from lynkr_desktop.engine.events import Alternative, Attempt, Exchange, ScoredDimension, Sent
from lynkr_desktop.engine.store.ids import first_id_at

NOW_MS = 1_800_000_000_000

_PLAIN = Exchange(
    id="",
    started_at_ms=0,
    client="claude-code",
    surface="anthropic",
    session="s-1",
    mode="auto",
    requested_model="claude-sonnet-4-5",
    tier="COMPLEX",
    score=61,
    method="score",
    reason="Several files — „weiß“ depend on each other.",
    dimensions=(ScoredDimension("scope", 15.5, "It is about several files."), ScoredDimension("code", -3.0, "No code.")),
    account="anthropic",
    provider="anthropic",
    model="claude-sonnet-4-5",
    fidelity="translated",
    losses=("cache markers", "top_k"),
    input_tokens=100,
    output_tokens=20,
    cache_read_tokens=None,
    cache_write_tokens=0,
    cost_usd="0.0120",
    cost_basis="priced",
    first_token_ms=812.5,
    total_ms=2400.25,
    status=200,
    error="",
    error_detail="",
    is_streamed=True,
    attempts=(
        Attempt("openai", "gpt-5-mini", "COMPLEX", 0.0, None, 90.5, 529, "overloaded", "Overloaded"),
        Attempt("anthropic", "claude-sonnet-4-5", "COMPLEX", 90.5, 812.5, 2400.25, 200),
    ),
    shadow_tier="REASONING",
    shadow_target="anthropic:claude-opus-4-5",
    alternatives=(Alternative("SIMPLE", "ollama:llama3.2", "0", "0"), Alternative("MEDIUM", "x:y", None, None)),
)


def exchange(number: int = 0, **changes: Any) -> Exchange:
    """One exchange; `number` milliseconds after `NOW_MS`, with an id of that moment."""
    started_at_ms = changes.pop("started_at_ms", NOW_MS + number)
    changes = {"id": f"{int(first_id_at(started_at_ms), 16) + number % 65536:016x}", "started_at_ms": started_at_ms, **changes}
    return msgspec.structs.replace(_PLAIN, **changes)


def sent(number: int) -> Sent:
    """What is known of `exchange(number)` when its request goes out."""
    whole = exchange(number)
    known = {name: getattr(whole, name) for name in Sent.__struct_fields__ if name != "input_tokens"}
    return Sent(**known, input_tokens=1000)
