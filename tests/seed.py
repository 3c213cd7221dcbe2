"""A made-up working week for the ledger, the same for the same seed: for screenshots, tests and trying the window.

python -m tests.seed DATA_DIR
"""

import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lynkr_desktop.config.paths import create_folders, paths
from lynkr_desktop.engine.events import Alternative, Attempt, Exchange, ScoredDimension
from lynkr_desktop.engine.store.ids import first_id_at
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.engine.store.pen import BATCH_ROWS

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True)
class _Model:
    """USD for a million tokens: input, output, cache read, cache write; None is not known."""

    account: str
    provider: str
    name: str
    prices: tuple[str, str, str, str] | None
    tokens_per_second: float
    first_token_ms: float
    is_local: bool = False

    def __str__(self) -> str:
        return f"{self.account}:{self.name}"


_QWEN = _Model("ollama", "ollama", "qwen2.5-coder:7b", None, 45, 420, is_local=True)
_MINI = _Model("openai", "openai", "gpt-5-mini", ("0.25", "2", "0.025", "0.25"), 120, 610)
_HAIKU = _Model("anthropic", "anthropic", "claude-haiku-4-5", ("1", "5", "0.1", "1.25"), 140, 540)
_SONNET = _Model("anthropic", "anthropic", "claude-sonnet-4-5", ("3", "15", "0.3", "3.75"), 75, 1100)
_OPUS = _Model("anthropic", "anthropic", "claude-opus-4-5", ("5", "25", "0.5", "6.25"), 55, 1900)
_DEEPSEEK = _Model("openrouter", "openrouter", "deepseek/deepseek-v3.1", ("0.27", "1.1", "0.07", "0.27"), 60, 900)
_LAB = _Model("lab", "openai-compatible", "qwen3-coder-480b", None, 50, 800)

# The tier's targets in order, and how high its scores lie.
_TIERS: Final[Mapping[str, tuple[tuple[_Model, ...], int, int]]] = {
    "SIMPLE": ((_QWEN, _MINI), 3, 25),
    "MEDIUM": ((_HAIKU, _DEEPSEEK), 26, 50),
    "COMPLEX": ((_SONNET, _LAB), 51, 75),
    "REASONING": ((_OPUS, _SONNET), 76, 97),
}
_TIER_NAMES: Final = tuple(_TIERS)

# name, wire, share of the work, how its sessions spread over the tiers, usual prompt tokens, asks by this model name
_CLIENTS: Final = (
    ("claude-code", "anthropic", 46, (22, 30, 36, 12), 38_000, "claude-sonnet-4-5"),
    ("codex", "openai_responses", 16, (20, 34, 34, 12), 21_000, "gpt-5-codex"),
    ("cursor", "openai_chat", 20, (44, 34, 18, 4), 9_000, "gpt-4o"),
    ("continue", "openai_chat", 10, (58, 28, 12, 2), 4_000, "auto"),
    ("aider", "openai_chat", 8, (24, 40, 30, 6), 12_000, "openai/auto"),
)
# Requests by hour of a working day: a morning, a lunch, a long afternoon, a little in the evening.
_HOURS: Final = (0, 0, 0, 0, 0, 0, 0, 1, 5, 11, 14, 12, 5, 9, 13, 14, 11, 7, 3, 1, 2, 3, 1, 0)
_WEEKDAY_SHARES: Final = (10, 11, 12, 11, 8, 4, 4)

_DIMENSIONS: Final[Mapping[str, tuple[tuple[str, float, str], ...]]] = {
    "SIMPLE": (
        ("length", -4, "The ask is a short one, of fewer than twelve words."),
        ("simple_ask", -6, "It asks what something is."),
        ("code", 3, "It names one identifier."),
    ),
    "MEDIUM": (
        ("code", 12, "It quotes code in one language."),
        ("imperatives", 8, "It asks for a change: add, rename."),
        ("tools", 9, "Two tools beyond the client's own are offered."),
        ("length", 4, "The ask is of a middling length."),
    ),
    "COMPLEX": (
        ("multi_step", 17, "It lists steps that build on each other."),
        ("scope", 15, "It is about several files."),
        ("code", 13, "It quotes code and an error's traceback."),
        ("agentic", 15, "Tools have answered five times since the ask."),
        ("simple_ask", -3, "It begins with a polite question."),
    ),
    "REASONING": (
        ("reasoning", 24, "It asks to reason through, step by step."),
        ("domain", 18, "It is about concurrency and transactions."),
        ("constraints", 14, "It sets four constraints."),
        ("multi_step", 16, "It lists steps that build on each other."),
        ("length", 9, "The ask is a long one."),
    ),
}
_REASONS: Final = {
    "SIMPLE": "A short question that a small model answers well.",
    "MEDIUM": "A change of ordinary size.",
    "COMPLEX": "Several files and steps depend on each other.",
    "REASONING": "It asks for careful reasoning.",
}
_FAILURES: Final = (
    ("overloaded", 529, "Overloaded"),
    ("rate", 429, "Rate limit reached for this organisation"),
    ("unreachable", None, "Connection refused"),
    ("timeout", None, "Nothing came for 180 seconds"),
    ("overloaded", 503, "Service unavailable"),
)


@dataclass
class _Session:
    """A run of requests of one program about one piece of work; it stays with its tier for a while."""

    name: str
    client: tuple[str, str, int, tuple[int, int, int, int], int, str]
    tier: str
    score: int
    left: int
    warm_tokens: int = 0


def seed_week(ledger: Ledger, now_ms: int, seed: int = 7, exchanges: int = 6000) -> None:
    """Write the seven days before `now_ms` into an open ledger. Ids are made from the same times."""
    chance = random.Random(seed)
    sessions: list[_Session] = []
    for number, started_at_ms in enumerate(_moments(chance, now_ms, exchanges)):
        session = _session(chance, sessions, number)
        # An id of that very millisecond, told apart by its number.
        exchange_id = f"{int(first_id_at(started_at_ms), 16) + number % 65536:016x}"
        ledger.record(_exchange(chance, exchange_id, started_at_ms, session))
        if number % BATCH_ROWS == BATCH_ROWS - 1:
            ledger.flush(60)
    ledger.flush(60)


def _moments(chance: random.Random, now_ms: int, count: int) -> list[int]:
    """Rising times, dense in working hours (local time) and thin at the week's end."""
    slots: list[tuple[int, float]] = []
    for hour in range(7 * 24):
        start = now_ms - (hour + 1) * _HOUR_MS
        local = time.localtime(start / 1000)
        share = _HOURS[local.tm_hour] * _WEEKDAY_SHARES[local.tm_wday]
        slots.append((start, share + 0.2))
    chosen = chance.choices([start for start, _ in slots], [share for _, share in slots], k=count)
    return sorted(start + chance.randrange(_HOUR_MS) for start in chosen)


def _session(chance: random.Random, sessions: list[_Session], number: int) -> _Session:
    """One of the few sessions under way, or a fresh one."""
    sessions[:] = [session for session in sessions if session.left > 0]
    if len(sessions) < 3 or chance.random() < 0.02:
        client = chance.choices(_CLIENTS, [row[2] for row in _CLIENTS])[0]
        session = _Session(f"s-{number:05d}", client, "", 0, max(1, int(chance.expovariate(1 / 22))))
        _aim(chance, session)
        sessions.append(session)
    session = chance.choice(sessions)
    session.left -= 1
    if chance.random() < 0.12:  # a new ask by the human
        _aim(chance, session)
    return session


def _aim(chance: random.Random, session: _Session) -> None:
    session.tier = chance.choices(_TIER_NAMES, session.client[3])[0]
    _, low, high = _TIERS[session.tier]
    session.score = round(chance.triangular(low, high, low + (high - low) * 0.4))
    session.warm_tokens = 0


def _exchange(chance: random.Random, exchange_id: str, started_at_ms: int, session: _Session) -> Exchange:
    client, surface, _, _, prompt, requested = session.client
    is_sticky = session.warm_tokens > 0
    attempts, model, error = _attempts(chance, session)
    tokens = _tokens(chance, session, prompt) if not error and model is not None else (None, None, None, None)
    cost, basis = _cost(model, tokens) if model is not None else (None, "unpriced")
    first_token_ms, total_ms = _times(chance, model, tokens, attempts)
    if model is not None:
        served = Attempt(model.account, model.name, session.tier, _ended(attempts), first_token_ms, total_ms, 200)
        attempts = (*attempts, served)
    last = attempts[-1]
    return Exchange(
        id=exchange_id,
        started_at_ms=started_at_ms,
        client=client,
        surface=surface,
        session=session.name,
        mode="auto",
        requested_model=requested,
        tier=session.tier,
        score=session.score,
        method="sticky" if is_sticky else "score",
        reason="The session stays with the model that knows it." if is_sticky else _REASONS[session.tier],
        dimensions=_dimensions(session),
        account=last.account,
        provider=(model or _TIERS[session.tier][0][-1]).provider,
        model=last.model,
        fidelity="verbatim" if surface == "anthropic" and last.account == "anthropic" else "translated",
        losses=("cache markers",) if surface == "anthropic" and last.account in {"ollama", "openai"} else (),
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cache_read_tokens=tokens[2],
        cache_write_tokens=tokens[3],
        cost_usd=cost,
        cost_basis=basis if not error else "",
        first_token_ms=first_token_ms,
        total_ms=total_ms,
        status=200 if not error else 502,
        error=error,
        error_detail=last.detail if error else "",
        is_streamed=chance.random() < 0.93,
        attempts=attempts,
        alternatives=_alternatives(tokens, last) if not error else (),
    )


def _alternatives(tokens: tuple[int | None, ...], served: Attempt) -> tuple[Alternative, ...]:
    """Each tier's first model at the same tokens, and what sending everything there anew would cost."""
    held = sum(count or 0 for count in tokens) + 2000
    found = []
    for tier, (models, _, _) in _TIERS.items():
        model = models[0]
        switch = "0" if model.prices is None else f"{held * Decimal(model.prices[3]) / 1_000_000:f}"
        is_served = (model.account, model.name) == (served.account, served.model)
        found.append(Alternative(tier, str(model), _cost(model, tokens)[0], "" if is_served else switch))
    return tuple(found)


def _attempts(chance: random.Random, session: _Session) -> tuple[tuple[Attempt, ...], _Model | None, str]:
    """The tries that failed, the model that served (None if none did), and the last failure's kind then."""
    failed: list[Attempt] = []
    for model in _TIERS[session.tier][0]:
        if chance.random() > (0.035 if not failed else 0.12):
            return tuple(failed), model, ""
        kind, status, detail = chance.choice(_FAILURES)
        started_ms = _ended(tuple(failed))
        ended_ms = started_ms + round(chance.uniform(90, 2400), 1)
        failed.append(Attempt(model.account, model.name, session.tier, started_ms, None, ended_ms, status, kind, detail))
    return tuple(failed), None, failed[-1].error


def _ended(attempts: tuple[Attempt, ...]) -> float:
    return attempts[-1].ended_ms if attempts else 0.0


def _tokens(chance: random.Random, session: _Session, prompt: int) -> tuple[int, int, int, int]:
    """Input, output, read from and written to the cache. A session's prompt grows and stays warm."""
    whole = max(400, int(chance.lognormvariate(0, 0.5) * prompt * 0.5)) + session.warm_tokens // 8
    output = max(12, int(chance.lognormvariate(5.6, 0.9)))
    if session.client[1] != "anthropic":
        cached = min(session.warm_tokens, whole) * 3 // 4
        session.warm_tokens = whole
        return whole - cached, output, cached, 0
    cached = min(session.warm_tokens, whole)
    session.warm_tokens = whole
    return chance.randrange(4, 900), output, cached, whole - cached


def _cost(model: _Model, tokens: tuple[int | None, ...]) -> tuple[str | None, str]:
    if model.is_local:
        return "0", "free"
    if model.prices is None:
        return None, "unpriced"
    sums = zip(tokens, (0, 1, 2, 3), strict=True)
    total = sum((Decimal(model.prices[price]) * (count or 0) for count, price in sums), Decimal(0)) / 1_000_000
    return f"{total:f}", "reported" if model.provider == "openrouter" else "priced"


def _times(
    chance: random.Random, model: _Model | None, tokens: tuple[int | None, ...], attempts: tuple[Attempt, ...]
) -> tuple[float | None, float]:
    before = _ended(attempts)
    if model is None:
        return None, before
    first = before + model.first_token_ms * chance.lognormvariate(0, 0.35) + (tokens[0] or 0) / 40
    return round(first, 1), round(first + (tokens[1] or 0) / model.tokens_per_second * 1000, 1)


def _dimensions(session: _Session) -> tuple[ScoredDimension, ...]:
    """The tier's sentences; their points add up to the score."""
    rows = _DIMENSIONS[session.tier]
    rest = session.score - sum(points for _, points, _ in rows)
    head = ScoredDimension(rows[0][0], rows[0][1] + rest, rows[0][2])
    return (head, *(ScoredDimension(*row) for row in rows[1:]))


def main(data_dir: str) -> None:
    """Fill the ledger of a data folder."""
    places = paths({"LYNKR_DATA_DIR": data_dir})
    create_folders(places)
    ledger = Ledger(places.ledger_file)
    ledger.open()
    seed_week(ledger, time.time_ns() // 1_000_000)
    ledger.close(60)
    sys.stdout.write(f"{places.ledger_file}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.seed DATA_DIR")
    main(sys.argv[1])
