"""Every sentence that a user reads. Constants and small functions, grouped by page; no widgets, no decisions."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from lynkr_desktop.config.settings import Mode, ModeKind, Tier
from lynkr_desktop.engine.api import AccountState, Snapshot
from lynkr_desktop.engine.events import Alternative, Attempt, Exchange
from lynkr_desktop.errors import FailureKind, LynkrError
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.language import say, say_back, say_number

# ---------------------------------------------------------------- everywhere

APPLICATION: Final = "Lynkr"
OVERVIEW: Final = "Overview"
ACTIVITY: Final = "Activity"
TIERS: Final = "Tiers"
PROVIDERS: Final = "Providers"
CLIENTS: Final = "Clients"
SETTINGS: Final = "Settings"
LOADING: Final = "Loading"
TRY_AGAIN: Final = "Try again"
COPIED: Final = "Copied"
EXPORT: Final = "Save as a file"
EXPORT_PICTURE: Final = "Picture (PNG)…"
EXPORT_NUMBERS: Final = "Numbers (CSV)…"
PNG_FILES: Final = "Pictures (*.png)"
CSV_FILES: Final = "Tables (*.csv)"
NO_PICTURE: Final = "The picture could not be written."
CLOSE: Final = "Close"
SHOW_AS_TABLE: Final = "Show as table"
SHOW_AS_CHART: Final = "Show as chart"
DIRECT: Final = "DIRECT"
UNKNOWN_CLIENT: Final = "Unknown program"

# One sentence for each way in which a provider fails, and the one next step.
FAILURES: Final[dict[FailureKind, tuple[str, str]]] = {
    FailureKind.AUTH: ("The provider does not accept the key.", "Enter a valid key on the Providers page."),
    FailureKind.QUOTA: ("The provider's quota or credit is used up.", "Top it up with the provider, or add a fallback."),
    FailureKind.RATE: ("The provider limits how many requests it takes.", "Wait, or add a fallback to this tier."),
    FailureKind.OVERLOADED: ("The provider has trouble of its own.", "Wait, or add a fallback to this tier."),
    FailureKind.CONTEXT: ("The request does not fit into the model's window.", "Choose a model with a larger window."),
    FailureKind.REFUSED: ("The provider declined the content.", "Change the request."),
    FailureKind.NOT_FOUND: ("The provider knows no such model or address.", "Choose another model on the Tiers page."),
    FailureKind.BAD_REQUEST: ("The provider cannot read the request.", "Look at its own words below."),
    FailureKind.UNREACHABLE: ("The provider could not be reached.", "Check the network and the provider's address."),
    FailureKind.TIMEOUT: ("The provider did not answer in time.", "Try again, or add a fallback to this tier."),
    FailureKind.PROTOCOL: ("The provider's answer broke off or was not in its own format.", "Try again."),
    FailureKind.EMPTY: ("The provider sent an answer without content.", "Try again."),
}
_BUDGET_KIND: Final = "budget"
BUDGET_USED_UP: Final = ("A budget of yours is used up.", "Raise it under Settings, or wait until it begins anew.")
_BUSY_KIND: Final = "busy"
BUSY: Final = ("Lynkr could not serve it just then.", "Try again.")
_INTERRUPTED_KIND: Final = "interrupted"
INTERRUPTED: Final = ("Lynkr was ended while it served this.", "Send it again.")
CLIENT_FAULT: Final = ("The calling program sent something that cannot be served.", "Look at the words below.")


def failure(kind: str) -> tuple[str, str]:
    """What happened and the next step, for a failure kind of an exchange."""
    if kind == _BUDGET_KIND:
        return BUDGET_USED_UP
    if kind == _BUSY_KIND:
        return BUSY
    if kind == _INTERRUPTED_KIND:
        return INTERRUPTED
    return FAILURES[FailureKind(kind)] if kind in FAILURES else CLIENT_FAULT


def refused(error: LynkrError) -> str:
    """What went wrong, and what to do."""
    return f"{say_back(error.title)} {say_back(error.detail)}".strip()


def not_written(path: str, why: str) -> str:
    """A file that could not be written."""
    return say("{path} could not be written: {why}", path=path, why=why)


def client_title(client: str) -> str:
    """A calling program's name as people write it: `claude-code` is Claude Code."""
    return " ".join(word[:1].upper() + word[1:] for word in client.replace("_", "-").split("-")) if client else UNKNOWN_CLIENT


def who_asked(exchange: Exchange) -> str:
    """The calling program, and the project if it named one: `Claude Code · website`."""
    title = client_title(exchange.client)
    return f"{title} · {exchange.project}" if exchange.project else title


def mode_title(mode: Mode) -> str:
    """The routing mode in two words."""
    match mode.kind:
        case ModeKind.AUTO:
            return say("Auto tiers")
        case ModeKind.PIN:
            return say("Pin {tier}", tier=mode.tier) if mode.tier else say("Pin")
        case ModeKind.DIRECT:
            return say("Direct")
        case ModeKind.OBSERVE:
            return say("Direct + observe")
        case ModeKind.LOCAL:
            return say("Local only")


def mode_name_for_readers(mode: Mode) -> str:
    """The mode's button in words."""
    return say("Mode: {mode}", mode=mode_title(mode))


_REASON: Final = re.compile(r"(?P<tier>[A-Z]+): (?P<because>.+?)(?P<rest>(?: \([^()]*\))?(?:; [0-9.]+ of 100)?)\.")


def reason(sentences: str) -> str:
    """The engine's words about a route: whole sentences, the first mostly a tier, a colon, reasons and the score."""
    told = say_back(sentences)
    if told != sentences:
        return told
    return " ".join(map(_reason_sentence, re.split(r"(?<=[.])\s", sentences)))


def _reason_sentence(sentence: str) -> str:
    told = say_back(sentence)
    match = _REASON.fullmatch(sentence)
    if told != sentence or match is None:
        return told
    whole = _phrase(match["because"])
    because = whole if whole != match["because"] else ", ".join(map(_phrase, match["because"].split(", ")))
    return f"{match['tier']}: {because}{''.join(map(say_back, re.split(r'(?=;)', match['rest'])))}."


def _phrase(phrase: str) -> str:
    """A reason inside a sentence: the catalogue has it by itself, or as the sentence of a signal."""
    if (told := say_back(phrase)) != phrase:
        return told
    sentence = f"{phrase[:1].upper()}{phrase[1:]}."
    told = say_back(sentence)
    return phrase if told == sentence else f"{told[:1].lower()}{told[1:].rstrip('.。')}"


def tier_name(tier: Tier | None) -> str:
    """A tier's name; what stands there where no tier was chosen."""
    return tier.value if tier else DIRECT


def tier_name_of(exchange: Exchange) -> str:
    """The tier of an exchange; what stands there where no tier was chosen."""
    return exchange.tier or DIRECT


# ---------------------------------------------------------------- window

NAVIGATION: Final = "Pages"


def version_line(version: str, snapshot: Snapshot) -> str:
    """The small line at the sidebar's foot."""
    return f"v{version} · {say('serving') if snapshot.is_serving else say('stopped')}"


# ---------------------------------------------------------------- overview

COPY_ENDPOINT: Final = "Copy the endpoint's address"
NOT_SERVING: Final = "Not serving"
NO_PROVIDERS: Final = "No providers"
SPENT_TODAY: Final = "Spent today"
SAVED_TODAY: Final = "Saved today"
FAILED_TODAY: Final = "Failed today"
REQUESTS_TODAY: Final = "Requests today"
FIRST_TOKEN: Final = "First token, median"  # noqa: S105  not a secret
NO_REQUESTS_YET: Final = "no requests yet"
OF_TODAY: Final = "of today's answers"
SCORE_STRIP: Final = "Score strip"
SCORE_STRIP_NOTE: Final = "ring = kept on the session's model · cross = failed"
STRIP_EMPTY: Final = "No requests in the last hour"
NOW: Final = "now"
NO_SCORE: Final = "no score"
LATENCY: Final = "First token"
LATENCY_EMPTY: Final = "No answers in this time"
LATENCY_PARTS: Final = {"p50": "median", "rest": "up to the 95th percentile"}
LATENCY_HEADERS: Final = ("From", "Answers", "Median", "95th percentile")
SPEND: Final = "Spend"
SPEND_EMPTY: Final = "Nothing was spent in this time"
PROVIDERS_TABLE: Final = "Providers"
PROVIDERS_TABLE_NOTE: Final = "last hour · first token p50 / p95"
SPANS: Final = {"1h": "1 h", "24h": "24 h", "7d": "7 d", "30d": "30 d"}
SPAN_NAMES: Final = {"1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"}
SPEND_BY: Final = {
    "tier": "by tier",
    "account": "by provider",
    "model": "by model",
    "client": "by program",
    "project": "by project",
}
OTHERS: Final = "others"
NO_PROJECT: Final = "no project"
OVERVIEW_EMPTY: Final = (
    "No provider yet",
    "Add one, with a key or a model on this machine, and requests can be served.",
    "Add a provider",
)
OVERVIEW_ERROR: Final = "The numbers could not be read."
OVERVIEW_LOADING: Final = "Reading the ledger"
ACCOUNT_STATES: Final = {
    "unknown": "not used yet",
    "healthy": "healthy",
    "slow": "slow",
    "failing": "failing",
    "disabled": "switched off",
    "no_key": "needs a key",
}
HEALTH_LINES: Final = {
    "failing": "{number} of {all} providers failing",
    "no_key": "{number} of {all} providers without a key",
    "slow": "{number} of {all} providers slow",
}
ACCOUNT_HEADERS: Final = ("Provider", "State", "First token", "Errors", "Requests", "Cost")
STRIP_HEADERS: Final = ("Time", "Tier", "Score", "Model", "Why")
SPEND_TIME_HEADER: Final = "From"
SPEND_TOTAL_HEADER: Final = "Total"
MODE_NEEDS_TIERS: Final = "Give each tier a model first."
MODE_NEEDS_LOCAL: Final = "Add a model on this machine first."
MODE_NEEDS_DIRECT: Final = "Choose the model of Direct mode first."


def waiting_for_requests(url: str) -> str:
    """What the strip says before the first request."""
    return say("Waiting for the first request. Point a program at {url}.", url=url) if url else STRIP_EMPTY


def health_line(accounts: Sequence[AccountState], *, is_serving: bool) -> str:
    """One short claim about all providers."""
    if not is_serving:
        return NOT_SERVING
    used = [account for account in accounts if account.state != "disabled"]
    if not used:
        return NO_PROVIDERS
    for state, words in HEALTH_LINES.items():
        number = sum(account.state == state for account in used)
        if number:
            return words.format(number=number, all=len(used))
    if healthy := sum(account.state == "healthy" for account in used):
        return say_number(healthy, "{number} provider healthy", "{number} providers healthy")
    return say_number(len(used), "{number} provider not used yet", "{number} providers not used yet")


def unpriced_line(unpriced: int) -> str:
    """Under the money spent: what is not in it."""
    return say("without {number} unpriced", number=shown.count(unpriced)) if unpriced else say("every request is priced")


def failed_line(failed: int, requests: int) -> str:
    """Under the failed requests: their share."""
    if not requests:
        return NO_REQUESTS_YET
    return say("{share} of {number}", share=shown.percent(failed, requests), number=shown.count(requests))


def split_line(requests: int) -> str:
    """Under the requests where no tier was chosen."""
    return say("without tiers") if requests else NO_REQUESTS_YET


def two_durations(first_ms: float | None, second_ms: float | None) -> str:
    """A median and a 95th percentile in one cell."""
    if first_ms is None and second_ms is None:
        return shown.UNKNOWN
    first, second = shown.duration(first_ms), shown.duration(second_ms)
    number, _, unit = first.partition(" ")
    return f"{number} / {second}" if second.partition(" ")[2] == unit else f"{first} / {second}"


def series_title(by: str, key: str, account_titles: Mapping[str, str]) -> str:
    """The name of a part of the spend chart."""
    match by:
        case "account":
            return account_titles.get(key, key)
        case "client":
            return client_title(key)
        case "project":
            return key or NO_PROJECT
        case _:
            return key or shown.UNKNOWN


def strip_summary(number: int, failed: int, span: str = "1h") -> str:
    """The strip in one sentence."""
    if not number:
        return f"{SPAN_NAMES[span]}: {NO_REQUESTS_YET}."
    told = say_number(
        number,
        "{number} request, {failed} of them failed.",
        "{number} requests, {failed} of them failed.",
        failed=shown.count(failed),
    )
    return f"{SPAN_NAMES[span]}: {told}"


def spend_summary(total: str, span: str) -> str:
    """The spend chart in one sentence."""
    return f"{SPAN_NAMES[span]}: {total}."


def latency_summary(p50_ms: float | None, p95_ms: float | None, span: str) -> str:
    """The latency chart in one sentence: the middle of the bars, and the worst of them."""
    if p50_ms is None:
        return f"{SPAN_NAMES[span]}: {LATENCY_EMPTY}."
    times = {"median": shown.duration(p50_ms), "worst": shown.duration(p95_ms)}
    return f"{SPAN_NAMES[span]}: {say('first tokens after {median}, at worst {worst} for 95 of 100.', **times)}"


def latency_tip(start_ms: float, answers: int, p50_ms: float, p95_ms: float) -> str:
    """A bar of the latency chart in words."""
    counted = say_number(answers, "{number} answer", "{number} answers")
    first = f"{shown.day(start_ms)} {shown.clock_minutes(start_ms)} · {counted}"
    return f"{first}\np50 {shown.duration(p50_ms)}\np95 {shown.duration(p95_ms)}"


def strip_tip(exchange: Exchange) -> str:
    """A mark of the strip in words."""
    score = "" if exchange.score is None else f" {exchange.score}"
    head = f"{shown.clock(exchange.started_at_ms)} · {exchange.tier or DIRECT}{score} · {exchange.model}"
    lines = [head, reason(exchange.reason)] if exchange.reason else [head]
    if exchange.method == "sticky":
        lines.append(say("Kept on the session's model."))
    if exchange.error:
        lines.append(failure(exchange.error)[0])
    return "\n".join(lines)


def bar_tip(start_ms: float, end_ms: float, requests: int, total: float, parts: Sequence[tuple[str, float]]) -> str:
    """A bar of the spend chart in words."""
    is_long = end_ms - start_ms >= 82_800_000  # a day, even when the clock changes
    span = shown.day(start_ms) if is_long else f"{shown.clock_minutes(start_ms)}–{shown.clock_minutes(end_ms)}"
    counted = say_number(requests, "{number} request", "{number} requests")
    lines = [f"{span} · {counted} · {shown.money(Decimal(str(total)))}"]
    return "\n".join([*lines, *(f"{title}  {shown.money(Decimal(str(amount)))}" for title, amount in parts)])


# ---------------------------------------------------------------- activity

FILTER: Final = "Filter"
FILTER_HINT: Final = "Filter by model, program or reason"
FAILED_ONLY: Final = "Failed only"
ALL: Final = "all"
ANY_TIME: Final = "Any time"
EXCHANGE_HEADERS: Final = ("Time", "Program", "Tier", "Model", "In / out", "Cached", "Cost", "First", "Total", "Status")
ACTIVITY_EMPTY: Final = "No requests yet"
ACTIVITY_NONE_MATCH: Final = ("No request matches these filters", "Loosen them to see more.", "Clear filters")
ACTIVITY_ERROR: Final = "The requests could not be read."
ACTIVITY_LOADING: Final = "Reading the ledger"
COPY_AS_TEXT: Final = "Copy as text"
WHY_EMPTY: Final = "Choose a request to see why it went where it went."
ATTEMPTS: Final = "Attempts"
NOTHING_LOST: Final = "nothing lost"
FIDELITIES: Final = {
    "verbatim": "passed through verbatim",
    "native": "edited in its own format",
    "translated": "translated",
}
COST_BASES: Final = {
    "reported": "cost reported by the provider",
    "priced": "priced by our dated table",
    "estimated": "cost estimated: the answer broke off",
    "free": "free: a model on this machine",
    "unpriced": "unpriced: no price is known for this model",
}
METHODS: Final = {
    "score": "by score",
    "force": "by a rule",
    "pin": "pinned",
    "direct": "direct",
    "requested": "as requested",
    "sticky": "kept on the session's model",
    "observe": "direct, observed",
    "window": "moved up: it outgrew a window",
    "cascade": "a cheaper model first",
}


INSTEAD: Final = "Instead"
INSTEAD_COST: Final = "cost"
INSTEAD_SWITCH: Final = "to switch"
INSTEAD_TIP: Final = (
    "What the first model of each tier would have cost for the same tokens, "
    "and what sending it this conversation anew would cost."
)
SERVED_THIS: Final = "served"


def instead_cost(exchange: Exchange, alternative: Alternative) -> str:
    """What an alternative would have cost; for the one that served, what it did cost."""
    if is_served_by(exchange, alternative):
        return shown.cost(exchange.cost_usd, exchange.cost_basis)
    return _estimate(alternative.cost_usd)


def instead_switch(exchange: Exchange, alternative: Alternative) -> str:
    """What going there would cost."""
    return SERVED_THIS if is_served_by(exchange, alternative) else _estimate(alternative.switch_usd)


def is_served_by(exchange: Exchange, alternative: Alternative) -> bool:
    """Is this the model that served?"""
    return alternative.target == f"{exchange.account}:{exchange.model}"


def _estimate(cost_usd: str | None) -> str:
    if cost_usd is not None and not shown.decimal(cost_usd):
        return shown.FREE
    return shown.money(cost_usd) if cost_usd is None else f"{shown.ABOUT} {shown.money(cost_usd)}"


def shadow_line(exchange: Exchange) -> str:
    """What Auto would have chosen, where it was only observed; empty elsewhere."""
    if not exchange.shadow_tier:
        return ""
    target = f", {exchange.shadow_target}" if exchange.shadow_target else ""
    return say("Auto would have chosen {tier}.", tier=f"{exchange.shadow_tier}{target}")


def activity_empty_detail(url: str) -> str:
    """The next step while there are no requests."""
    if not url:
        return say("Start serving, and requests appear here.")
    return say("Point a program at {url} to see its requests.", url=url)


def tier_filter(tiers: Sequence[str]) -> str:
    """The tier filter's words: the name of one tier, the letters of several."""
    if len(tiers) > 1:
        return say("Tier: {tiers}", tiers=", ".join(tier[0] for tier in tiers))
    return say("Tier: {tiers}", tiers=tiers[0] if tiers else ALL)


def client_filter(clients: Sequence[str]) -> str:
    """The program filter's words: one name, or how many."""
    if len(clients) > 1:
        return say("Program: {number} chosen", number=len(clients))
    return say("Program: {program}", program=client_title(clients[0]) if clients else ALL)


def status_line(exchange: Exchange) -> str:
    """How an exchange ended, in a word."""
    if exchange.status == 499:
        return say("left")
    if exchange.error == _INTERRUPTED_KIND:
        return say("ended")
    return str(exchange.status) if exchange.error else say("ok")


def in_and_out(exchange: Exchange) -> str:
    """Tokens in and out. What came from or went to the cache counts as in."""
    return f"{shown.tokens(all_input(exchange))} / {shown.tokens(exchange.output_tokens)}"


def all_input(exchange: Exchange) -> int | None:
    """All tokens that went in, cached or not; None if nobody told."""
    parts = (exchange.input_tokens, exchange.cache_read_tokens, exchange.cache_write_tokens)
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def cached_share(exchange: Exchange) -> str:
    """How much of the input came from the provider's cache."""
    return shown.percent(exchange.cache_read_tokens, all_input(exchange) or 0) if exchange.cache_read_tokens else shown.UNKNOWN


def exchange_cost(exchange: Exchange) -> str:
    """An exchange's cost in its cell. A request that nobody served cost nothing that could be priced."""
    return shown.cost(exchange.cost_usd, exchange.cost_basis) if was_served(exchange) else shown.UNKNOWN


def was_served(exchange: Exchange) -> bool:
    """Did a model answer, at least in part? Else there is nothing to count."""
    return not exchange.error or exchange.output_tokens is not None


def why_title(exchange: Exchange) -> str:
    """The why card's title."""
    return say("Why {tier}", tier=exchange.tier) if exchange.tier else say("Why this model")


def points(value: float) -> str:
    """A dimension's points with their sign."""
    return f"{value:+.0f}".replace("-", "−") if round(value) else "0"


def tokens_line(exchange: Exchange) -> str:
    """Tokens of an exchange in one line."""
    parts = [say("{tokens} in", tokens=shown.tokens(exchange.input_tokens))]
    if exchange.cache_read_tokens:
        parts.append(say("{tokens} from cache", tokens=shown.tokens(exchange.cache_read_tokens)))
    if exchange.cache_write_tokens:
        parts.append(say("{tokens} to cache", tokens=shown.tokens(exchange.cache_write_tokens)))
    parts.append(say("{tokens} out", tokens=shown.tokens(exchange.output_tokens)))
    return " · ".join(parts)


def cost_line(exchange: Exchange, as_of: str = "") -> str:
    """An exchange's cost and where the number comes from. `as_of` is the date of the price table."""
    price = shown.cost(exchange.cost_usd, exchange.cost_basis)
    basis = COST_BASES.get(exchange.cost_basis, exchange.cost_basis)
    if exchange.cost_basis == "priced" and as_of:
        basis = say("{basis}, as of {date}", basis=basis, date=as_of)
    return basis if exchange.cost_basis in {"free", "unpriced"} else f"{price} · {basis}"


def origin_line(exchange: Exchange) -> str:
    """When, for whom and how the model was chosen."""
    method = METHODS.get(exchange.method, exchange.method)
    parts = (f"{shown.day(exchange.started_at_ms)} {shown.clock(exchange.started_at_ms)}", who_asked(exchange), method)
    return " · ".join(part for part in parts if part)


def upstream_words(exchange: Exchange) -> str:
    """The provider's own words about a failure, with the status that the program got."""
    return f"{exchange.status}: {exchange.error_detail}" if exchange.error_detail else ""


def fidelity_line(exchange: Exchange) -> str:
    """How the request travelled, and what could not be carried."""
    way = FIDELITIES.get(exchange.fidelity, exchange.fidelity)
    lost = NOTHING_LOST if not exchange.losses else say("not carried: {losses}", losses=", ".join(map(say_back, exchange.losses)))
    return f"{way} · {lost}" if way else lost


def exchange_as_text(exchange: Exchange) -> str:
    """An exchange in lines to paste into a message. Holds no prompt text and no secret."""
    lines = [
        f"{shown.local(exchange.started_at_ms):%Y-%m-%d %H:%M:%S %z} · {who_asked(exchange)} · {exchange.id}",
        f"{exchange.tier or DIRECT} → {exchange.account}:{exchange.model} · {METHODS.get(exchange.method, exchange.method)}",
        reason(exchange.reason),
        *filter(None, [shadow_line(exchange)]),
    ]
    if exchange.score is not None:
        lines.append(say("Score {score}", score=exchange.score))
    lines += [f"  {points(dimension.points)}  {say_back(dimension.reason)}" for dimension in exchange.dimensions]
    for attempt in exchange.attempts:
        after = say("{what} after {time}", what=attempt.error or SERVED_THIS, time=shown.duration(attempt.ended_ms))
        lines.append(f"{attempt_line(attempt)}: {after}")
    if was_served(exchange):
        lines += [tokens_line(exchange), cost_line(exchange), fidelity_line(exchange)]
    if exchange.error:
        lines.append(f"{exchange.status} {exchange.error}: {exchange.error_detail}")
    return "\n".join(lines)


def score_summary(score: float, tier: Tier) -> str:
    """The score band in words."""
    return say("Score {score} of 100, {tier}", score=f"{score:.0f}", tier=tier.value)


def attempt_end(attempt: Attempt) -> str:
    """How an attempt ended, and how long its two stages took."""
    if attempt.error:
        status = f"{attempt.status} " if attempt.status else ""
        what = f"{status}{say_back(attempt.error.replace('_', ' '))}"
        return say("{what} after {time}", what=what, time=shown.duration(attempt.ended_ms - attempt.started_ms))
    if attempt.first_byte_ms is None:
        return shown.duration(attempt.ended_ms - attempt.started_ms)
    waiting = shown.duration(attempt.first_byte_ms - attempt.started_ms)
    streaming = shown.duration(attempt.ended_ms - attempt.first_byte_ms)
    return say("first byte {waiting} · stream {streaming}", waiting=waiting, streaming=streaming)


def attempt_summary(attempt: Attempt) -> str:
    """An attempt in words."""
    return f"{attempt_line(attempt)}: {attempt_end(attempt)}"


def attempt_line(attempt: Attempt) -> str:
    """Which target an attempt went to, and with which key where the account has several."""
    return " · ".join(part for part in (attempt.account, attempt.model, attempt.key) if part)
