"""From a score to a tier, and from a tier to the order in which targets are tried. Pure; knows no accounts' health."""

import dataclasses
import functools
from typing import Final

import msgspec

from lynkr_desktop.config.settings import TIERS, Boundaries, Mode, ModeKind, Pin, Routing, Target, Tier
from lynkr_desktop.engine.routing import pins
from lynkr_desktop.engine.routing.explain import careful_reason, reason_of
from lynkr_desktop.engine.routing.route import Facts, Method, Route, Score
from lynkr_desktop.errors import ConfigError

REQUESTED_TIERS: Final[dict[str, Tier]] = {f"lynkr-{tier.value.lower()}": tier for tier in TIERS}
AUTO_MODEL: Final = "lynkr-auto"
_AUTO: Final = Mode()
_Targets = tuple[tuple[Target, Tier | None], ...]


def choose(score: Score, boundaries: Boundaries) -> Tier:
    """The tier of a score, raised to the score's floor if it has one."""
    tier = boundaries.tier_of(score.value)
    return score.floor if score.floor is not None and score.floor.rank > tier.rank else tier


def route(
    routing: Routing,
    facts: Facts,
    score: Score,
    requested_model: str,
    accounts: frozenset[str] = frozenset(),
    *,
    local: tuple[Target, ...] = (),
    pin: Pin | None = None,
) -> Route:
    """Where a request goes, and why.

    A requested model of the form `account:model`, with an account of `accounts` or of the routing, goes exactly there;
    `lynkr-simple` to `lynkr-reasoning` ask for a tier; both have the method `requested`. `lynkr-auto` asks for the score,
    whatever is pinned. Otherwise the pin that holds for the request decides, then the mode. After a tier's own targets come the
    tiers above it, those below, and the fallback if it is enabled. `local` are the accounts of this machine, each with its usual
    model; the mode LOCAL uses no other account, whoever asks. Raises `ConfigError` if there is nothing to try.
    """
    name = requested_model.strip()
    if routing.mode.kind is ModeKind.LOCAL:
        return _local_only(routing, facts, score, name, local, pin=pin)
    asked = _requested(routing, score, name, accounts)
    if asked is not None:
        return asked
    is_asked_for_score = name.lower() == AUTO_MODEL
    if pin is not None and not is_asked_for_score:
        return _pinned(routing, pin, score)
    mode = routing.mode
    is_auto = mode.kind is ModeKind.AUTO or is_asked_for_score
    if mode.kind is ModeKind.PIN and not is_auto:
        pinned = mode.tier or Tier.MEDIUM
        return _tiered(routing, pinned, score, "pin", f"{pinned}: pinned by you.")
    if is_auto and routing.tiers.are_complete:
        tier = choose(score, routing.boundaries)
        if routing.is_careful and score.risk and tier.rank < Tier.COMPLEX.rank:
            score = msgspec.structs.replace(score, floor=Tier.COMPLEX)
            return _tiered(routing, Tier.COMPLEX, score, "score", careful_reason(score))
        method: Method = "force" if score.forced else "score"
        is_raised = tier is not routing.boundaries.tier_of(score.value)
        return _tiered(routing, tier, score, method, reason_of(facts, score, tier, is_raised=is_raised))
    if mode.kind is ModeKind.OBSERVE and not is_auto:
        return _observed(routing, facts, score)
    return _direct(routing, _direct_reason(routing) if is_auto else "Direct mode: no tiers.")


def _requested(routing: Routing, score: Score, name: str, accounts: frozenset[str]) -> Route | None:
    """What the client asks for by a name of ours; None if it names nothing of the kind."""
    target = _requested_target(name, accounts, routing) if ":" in name else None
    if target is not None:
        return Route(_with_fallback(((target, None),), routing), None, None, "requested", f"The client asked for {target}.")
    tier = REQUESTED_TIERS.get(name.lower())
    if tier is not None and any(routing.tiers.of(each) for each in TIERS):
        return _tiered(routing, tier, score, "requested", f"{tier}: the client asked for it.")
    return None


def _pinned(routing: Routing, pin: Pin, score: Score) -> Route:
    """The pinned tier; or the pinned target, with what its tier offers behind it."""
    if pin.target is None:
        tier = pin.tier or Tier.MEDIUM
        return _tiered(routing, tier, score, "pin", pins.reason_of(pin, tier))
    tier_of_target = pins.tier_of(pin.target, routing)
    first: _Targets = ((pin.target, tier_of_target),)
    if tier_of_target is None:
        return Route(_with_fallback(first, routing), None, score, "pin", pins.reason_of(pin, None))
    others = tuple(rung for rung in ladder_of(routing, tier_of_target) if rung[0] != pin.target)
    return Route((*first, *others), tier_of_target, score, "pin", pins.reason_of(pin, None))


def _observed(routing: Routing, facts: Facts, score: Score) -> Route:
    """As in Direct mode, with a note of what the score would have chosen."""
    tier = choose(score, routing.boundaries)
    is_raised = tier is not routing.boundaries.tier_of(score.value)
    reason = f"Direct + observe; the score says {reason_of(facts, score, tier, is_raised=is_raised)}"
    direct = _direct(routing, reason)
    target = routing.tiers.of(tier)[0] if routing.tiers.are_complete else None
    return Route(direct.targets, None, score, "observe", reason, tier, target)


def _local_only(routing: Routing, facts: Facts, score: Score, name: str, local: tuple[Target, ...], *, pin: Pin | None) -> Route:
    """The score's route without what is elsewhere. A model elsewhere that a client names is not asked either."""
    accounts = frozenset(target.account for target in local)
    wished = name if ":" not in name or name.partition(":")[0] in accounts else AUTO_MODEL
    spare: _Targets = tuple((target, None) for target in local if target.model)
    try:
        chosen = route(dataclasses.replace(routing, mode=_AUTO), facts, score, wished, accounts, pin=pin)
    except ConfigError:
        chosen = Route((), None, score, "score", "No tiers.")
    kept = {target: tier for target, tier in reversed((*chosen.targets, *spare)) if target.account in accounts}
    targets: _Targets = tuple(reversed(kept.items()))
    if not targets:
        raise ConfigError(
            "Local only: no model on this machine is set up.",
            "Add a local server under Providers and give it a model, or choose another mode.",
            field="routing.mode",
        )
    tier = targets[0][1]
    is_other = chosen.tier is not None and tier is not chosen.tier
    why = f"Local only: no model of {chosen.tier} is on this machine." if is_other else "Local only."
    return Route(targets, tier, chosen.score, chosen.method, f"{why} {chosen.reason}")


def _requested_target(name: str, accounts: frozenset[str], routing: Routing) -> Target | None:
    account, _, model = name.partition(":")
    return Target(account, model) if model and (account in accounts or account in _accounts_of(routing)) else None


def _accounts_of(routing: Routing) -> frozenset[str]:
    tiers = (target.account for tier in TIERS for target in routing.tiers.of(tier))
    ends = (target.account for target in (routing.direct, routing.fallback) if target is not None)
    return frozenset((*tiers, *ends))


def _direct_reason(routing: Routing) -> str:
    missing = [f"TIER_{tier}" for tier in TIERS if not routing.tiers.of(tier)]
    verb = "is" if len(missing) == 1 else "are"
    return f"Tier routing is off: {', '.join(missing)} {verb} not set."


def _tiered(routing: Routing, tier: Tier, score: Score, method: Method, reason: str) -> Route:
    targets = ladder_of(routing, tier)
    if not targets:
        raise ConfigError(
            f"No model is set for the tier {tier}.",
            "Choose a model for it on the Tiers page.",
            field=f"routing.tiers.{tier.lower()}",
        )
    return Route(targets, tier, score, method, reason)


@functools.lru_cache(maxsize=64)
def ladder_of(routing: Routing, tier: Tier) -> _Targets:
    """The tier's own targets, then the tiers above it from near to far, then those below, then the fallback."""
    order = (*TIERS[tier.rank :], *reversed(TIERS[: tier.rank]))
    seen: dict[Target, Tier | None] = {}
    for each in order:
        for target in routing.tiers.of(each):
            seen.setdefault(target, each)
    return _with_fallback(tuple(seen.items()), routing)


def _with_fallback(targets: _Targets, routing: Routing) -> _Targets:
    fallback = routing.fallback if routing.is_fallback_enabled else None
    if fallback is None or any(target == fallback for target, _ in targets):
        return targets
    return (*targets, (fallback, None))


def _direct(routing: Routing, reason: str) -> Route:
    first: _Targets = ((routing.direct, None),) if routing.direct is not None else ()
    targets = _with_fallback(first, routing)
    if not targets:
        raise ConfigError(
            "No model is chosen yet.",
            "Choose a provider and a model for Direct mode (MODEL_PROVIDER), or one for each of the four tiers (TIER_SIMPLE, …).",
            field="routing.direct",
        )
    return Route(targets, None, None, "direct", reason)
