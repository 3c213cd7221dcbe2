"""Which of a tier's targets goes first where the user lets that decide."""

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import Target, TargetOrder, Tier
from lynkr_desktop.engine.resilience.preference import KEPT, SEEN_SECONDS, Rung, TargetBook, why

A, B, C = (Target(name, "m") for name in "abc")
SIMPLE: tuple[Rung, ...] = ((A, Tier.SIMPLE), (B, Tier.SIMPLE), (C, Tier.SIMPLE))


def names(rungs: tuple[Rung, ...]) -> str:
    return "".join(target.account for target, _ in rungs)


def test_without_anything_seen_every_order_is_the_users_own() -> None:
    for order in TargetOrder:
        assert TargetBook().preferred(SIMPLE, order, 0.0) == SIMPLE


def test_the_quickest_goes_first_and_who_was_never_seen_before_it() -> None:
    book = TargetBook()
    for target, times in ((A, (900.0, 800.0, 5000.0)), (B, (300.0, 350.0, 400.0))):
        for first_token_ms in times:
            book.note(target, 1.0, has_served=True, first_token_ms=first_token_ms)
    assert names(book.preferred(SIMPLE, TargetOrder.LATENCY, 2.0)) == "cba"
    book.note(C, 2.0, has_served=False)
    assert names(book.preferred(SIMPLE, TargetOrder.LATENCY, 3.0)) == "bac"
    assert names(book.preferred(SIMPLE, TargetOrder.LATENCY, 2.5 + SEEN_SECONDS)) == "abc"


def test_the_least_busy_goes_first() -> None:
    book = TargetBook()
    for target in (A, A, B):
        book.begin(target)
    assert names(book.preferred(SIMPLE, TargetOrder.LEAST_BUSY, 0.0)) == "cba"
    book.end(A)
    book.end(A)
    book.end(A)
    assert names(book.preferred(SIMPLE, TargetOrder.LEAST_BUSY, 0.0)) == "acb"
    assert book.of(A, 0.0).in_progress == 0


def test_who_fails_least_goes_first() -> None:
    book = TargetBook()
    for target, outcomes in ((A, (True, False)), (B, (True, True, False)), (C, (False,))):
        for has_served in outcomes:
            book.note(target, 1.0, has_served=has_served)
    assert names(book.preferred(SIMPLE, TargetOrder.SUCCESS, 2.0)) == "bac"
    assert book.of(B, 2.0).served == 2


def test_every_order_but_the_listed_one_has_its_words() -> None:
    assert [bool(why(order, A)) for order in TargetOrder] == [order is not TargetOrder.LISTED for order in TargetOrder]


@given(
    st.lists(st.tuples(st.sampled_from((A, B, C)), st.booleans(), st.floats(0, 1e5)), max_size=80), st.sampled_from(TargetOrder)
)
def test_no_order_moves_a_target_out_of_its_tier_or_loses_one(seen: list[tuple[Target, bool, float]], order: TargetOrder) -> None:
    book = TargetBook()
    for target, has_served, first_token_ms in seen:
        book.begin(target)
        book.note(target, 1.0, has_served=has_served, first_token_ms=first_token_ms)
    rungs: tuple[Rung, ...] = ((C, Tier.MEDIUM), (A, Tier.SIMPLE), (B, Tier.SIMPLE), (Target("z", "m"), None))
    found = book.preferred(rungs, order, 2.0)
    assert sorted(names(found)) == sorted(names(rungs))
    assert [tier for _, tier in found] == [tier for _, tier in rungs]
    assert all(book.of(target, 2.0).seen <= KEPT for target in (A, B, C))
