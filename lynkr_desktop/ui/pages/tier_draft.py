"""The tiers while they are being edited: steps back, presets, and what is wrong with them. Pure; no widgets, no saving."""

from dataclasses import dataclass, replace

from lynkr_desktop.config.settings import TIERS, Account, Boundaries, Routing, Settings, Target, Tier, TierTargets
from lynkr_desktop.engine.api import Analysis
from lynkr_desktop.engine.providers import catalogue
from lynkr_desktop.ui import text_setup


@dataclass(frozen=True, slots=True)
class TierPlan:
    """What the Tiers page edits."""

    tiers: TierTargets
    boundaries: Boundaries

    @property
    def is_empty(self) -> bool:
        """Has no tier a model?"""
        return not any(self.tiers.of(tier) for tier in TIERS)


@dataclass(frozen=True, slots=True)
class Preset:
    """A whole set of targets that one click gives. `account` is one that has to be added for it."""

    title: str
    tiers: TierTargets
    account: Account | None = None


def plan_of(routing: Routing) -> TierPlan:
    """The part of the routing that is edited here."""
    return TierPlan(routing.tiers, routing.boundaries)


class Draft:
    """A plan in the making. Each edit is a step that can be taken back, also after saving."""

    def __init__(self, saved: TierPlan) -> None:
        self.saved = saved
        self.plan = saved
        self._earlier: list[TierPlan] = []

    @property
    def is_changed(self) -> bool:
        """Does it differ from what is saved?"""
        return self.plan != self.saved

    @property
    def can_undo(self) -> bool:
        """Is there a step to take back?"""
        return bool(self._earlier)

    def edit(self, plan: TierPlan) -> None:
        """Go on with another plan."""
        if plan != self.plan:
            self._earlier.append(self.plan)
            self.plan = plan

    def undo(self) -> None:
        """Take the last step back."""
        if self._earlier:
            self.plan = self._earlier.pop()

    def follow(self, saved: TierPlan) -> None:
        """Other settings are in use. Edits that are not saved stay."""
        if not self.is_changed:
            self.plan = saved
        self.saved = saved

    # Steps of the page, as plans.

    def with_boundaries(self, boundaries: Boundaries) -> TierPlan:
        """The plan with other boundaries."""
        return replace(self.plan, boundaries=boundaries)

    def with_target(self, tier: Tier, target: Target, index: int | None = None) -> TierPlan:
        """The plan with a target in a tier: at a place, or at the end. It is there only once."""
        targets = [each for each in self.plan.tiers.of(tier) if each != target]
        targets.insert(len(targets) if index is None else index, target)
        return self._with(self.plan.tiers, tier, targets)

    def without_target(self, tier: Tier, index: int) -> TierPlan:
        """The plan without one of a tier's targets."""
        targets = list(self.plan.tiers.of(tier))
        del targets[index]
        return self._with(self.plan.tiers, tier, targets)

    def with_move(self, source: tuple[Tier, int], tier: Tier, index: int) -> TierPlan:
        """The plan with a target taken from its place to one before which `index` now stands, in the same or another tier."""
        from_tier, from_index = source
        target = self.plan.tiers.of(from_tier)[from_index]
        if from_tier is tier and index > from_index:
            index -= 1
        tiers = self.without_target(from_tier, from_index).tiers
        kept = [each for each in tiers.of(tier) if each != target]
        kept.insert(index, target)
        return self._with(tiers, tier, kept)

    def _with(self, tiers: TierTargets, tier: Tier, targets: list[Target]) -> TierPlan:
        return replace(self.plan, tiers=tiers.with_tier(tier, tuple(targets)))


def problems(plan: TierPlan, settings: Settings) -> dict[Tier, str]:
    """What keeps tiers from serving, by tier. An empty tier is one only where others have a model."""
    found: dict[Tier, str] = {}
    for tier in TIERS:
        targets = plan.tiers.of(tier)
        if not targets and not plan.is_empty:
            found[tier] = text_setup.TIER_EMPTY
        for target in targets:
            account = settings.account(target.account)
            if account is None:
                found[tier] = text_setup.target_without_account(target.account)
            elif not account.is_enabled:
                found[tier] = text_setup.target_switched_off(account_title(account))
    return found


def account_title(account: Account) -> str:
    """An account's own name, or its provider's."""
    entry = catalogue.provider(account.provider)
    return account.title or (entry.title if entry else account.id)


def model_of(account: Account) -> str:
    """The model that an account stands for where none is named."""
    entry = catalogue.provider(account.provider)
    return account.model or (entry.default_model if entry else "")


def presets(settings: Settings) -> tuple[Preset, ...]:
    """What one click can set up with the accounts that there are; without any, the built-in model."""
    usable = [account for account in settings.accounts if account.is_enabled and model_of(account)]
    if not usable:
        return _built_in(settings)
    made = [Preset(_all_title(account), _all(account)) for account in usable]
    local = [account for account in usable if is_local(account)]
    remote = [account for account in usable if not is_local(account)]
    if local and remote:
        low, high = Target(local[0].id, model_of(local[0])), Target(remote[0].id, model_of(remote[0]))
        split = TierTargets((low, high), (high, low), (high,), (high,))
        made.insert(0, Preset(text_setup.preset_split(account_title(local[0]), account_title(remote[0])), split))
    return tuple(made)


def is_local(account: Account) -> bool:
    """Does its model run on this machine?"""
    entry = catalogue.provider(account.provider)
    return bool(entry and entry.is_local)


def _built_in(settings: Settings) -> tuple[Preset, ...]:
    entry = next((each for each in catalogue.PROVIDERS.values() if each.is_embedded), None)
    if entry is None or settings.account(entry.id) is not None:
        return ()
    account = Account(entry.id, entry.id)
    return (Preset(_all_title(account), _all(account), account),)


def _all_title(account: Account) -> str:
    entry = catalogue.provider(account.provider)
    is_built_in = entry is not None and entry.is_embedded
    return text_setup.PRESET_BUILT_IN if is_built_in else text_setup.preset_all(account_title(account), model_of(account))


def _all(account: Account) -> TierTargets:
    targets = (Target(account.id, model_of(account)),)
    return TierTargets(targets, targets, targets, targets)


def tier_under(plan: TierPlan, analysis: Analysis) -> Tier | None:
    """The tier of an analysed prompt under a plan. A rule or a mode that decided alone decides here too."""
    route = analysis.route
    if route.method != "score" or route.score is None:
        return route.tier
    tier = plan.boundaries.tier_of(route.score.value)
    floor = route.score.floor
    return floor if floor is not None and floor.rank > tier.rank else tier
