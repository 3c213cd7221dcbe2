"""Ids rise, whatever the clock does."""

import itertools
import re
import threading

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.store.ids import first_id_at, new_id


@given(st.lists(st.integers(1_700_000_000_000, 1_900_000_000_000), min_size=2, max_size=50))
def test_ids_rise_even_if_the_clock_jumps_back(times: list[int]) -> None:
    ids = [new_id(lambda at=at: at * 1_000_000) for at in times]  # type: ignore[misc]
    assert all(before < after for before, after in itertools.pairwise(ids))
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)
    assert all(one >= first_id_at(at) for one, at in zip(ids, times, strict=True))


def test_threads_never_get_the_same_id() -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.extend([new_id() for _ in range(2000)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 8000


def test_the_first_id_of_a_moment_sorts_before_the_next_moments() -> None:
    assert first_id_at(5) < first_id_at(6)
    assert first_id_at(-1) == first_id_at(0) == "0" * 16
