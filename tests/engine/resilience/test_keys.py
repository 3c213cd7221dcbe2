"""Which key serves, for how long one rests, and what the user is told. Time is a number here."""

import pytest

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, AccountKey, Settings
from lynkr_desktop.engine.events import Trouble
from lynkr_desktop.engine.plan import plan_of
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.resilience.keys import LONGEST_REST_SECONDS, REST_SECONDS, KeyRing, is_keys_fault, ref_of
from lynkr_desktop.errors import FailureKind, UpstreamError

HERE = "https://api.openai.com"
KEYS = (AccountKey(HERE), AccountKey(HERE, "2", "team"), AccountKey(HERE, "3"))


def access(*keys: AccountKey, missing: str = "", base_url: str = "") -> Access:
    account = Account("openai", "openai", base_url=base_url, keys=keys)
    secrets = {ref: Secret(ref) for ref in account.refs if ref != missing}
    return plan_of(Settings(accounts=(account,)), secrets, None).access("openai")


def names(first: Access) -> list[str]:
    return [each.key_name for each in (first, *first.spares)]


def failure(kind: FailureKind, retry_after: float | None = None) -> UpstreamError:
    return UpstreamError(kind, "The vendor's words.", retry_after=retry_after)


@pytest.fixture
def told() -> list[Trouble]:
    return []


@pytest.fixture
def ring(told: list[Trouble]) -> KeyRing:
    return KeyRing(told.append)


def test_keys_keep_their_order_and_names() -> None:
    assert names(access(*KEYS)) == ["key 1", "team", "key 3"]
    assert names(access(KEYS[2], KEYS[0])) == ["key 3", "key 1"]
    assert names(access(KEYS[0])) == [""], "a single key needs no name"


def test_a_key_that_is_missing_or_was_entered_elsewhere_is_left_out() -> None:
    assert names(access(*KEYS, missing="openai:2")) == ["key 1", "key 3"]
    elsewhere = AccountKey("https://elsewhere.example", "4")
    assert names(access(*KEYS, elsewhere)) == ["key 1", "team", "key 3"]
    only = access(elsewhere)
    assert (only.key, only.spares) == (None, ())


@pytest.mark.parametrize("kind", REST_SECONDS)
def test_a_key_rests_and_comes_back(ring: KeyRing, kind: FailureKind) -> None:
    first = access(*KEYS)
    ring.failed(first, failure(kind), 0)
    assert ring.chosen(first, (), 1) is first.spares[0]
    assert ring.chosen(first, (), REST_SECONDS[kind]) is first
    ring.failed(first, failure(kind, retry_after=7), 100)
    assert ring.rest(ref_of(first), 106.9) is not None
    assert ring.rest(ref_of(first), 107) is None
    ring.failed(first, failure(kind, retry_after=1e9), 200)
    assert ring.chosen(first, (), 200 + LONGEST_REST_SECONDS) is first


def test_what_is_not_the_keys_fault_costs_no_rest(ring: KeyRing) -> None:
    first = access(*KEYS)
    for kind in set(FailureKind) - set(REST_SECONDS):
        assert not is_keys_fault(kind)
        ring.failed(first, failure(kind), 0)
    assert ring.chosen(first, (), 0) is first
    assert ring.health(ref_of(first), 1).state == "failing", "but it is told"


def test_where_all_rest_the_one_that_is_free_soonest_is_tried_and_no_other(ring: KeyRing) -> None:
    first = access(*KEYS)
    for each, seconds in zip((first, *first.spares), (300.0, 20.0, 100.0), strict=True):
        ring.failed(each, failure(FailureKind.RATE, seconds), 0)
    assert ring.chosen(first, (), 1) is first.spares[0]
    assert ring.chosen(first, {ref_of(first.spares[0])}, 1) is None


def test_a_single_key_never_rests(ring: KeyRing) -> None:
    only = access(KEYS[0])
    assert ring.chosen(only, (), 0) is only
    assert ring.chosen(only, {ref_of(only)}, 0) is None


def test_a_refused_key_is_told_once_and_its_end_too(ring: KeyRing, told: list[Trouble]) -> None:
    first = access(*KEYS)
    ring.failed(first, failure(FailureKind.AUTH), 0)
    ring.failed(first, failure(FailureKind.AUTH), 700)
    ring.failed(first.spares[0], failure(FailureKind.RATE), 0)
    assert [(each.key, each.title, each.is_over) for each in told] == [("key-openai", "A key of OpenAI was refused.", False)]
    assert "key 1" in told[0].detail
    assert "The vendor's words." in told[0].detail
    ring.served(first, 800, None, 10.0)
    ring.served(first, 801, None, 10.0)
    assert [(each.key, each.is_over) for each in told[1:]] == [("key-openai", True)]
    ring.failed(first.spares[0], failure(FailureKind.QUOTA), 0)
    ring.forget("openai:2")
    assert [(each.key, each.is_over) for each in told[2:]] == [("key-openai:2", False), ("key-openai:2", True)]
    assert ring.health("openai:2", 1).requests == 0
