"""Our score in the form that a measuring script takes: a request in the Anthropic form in, 0 to 100 out. Not part of the program.

`ours` is the score as shipped. `out_of_fold` scores each ask of the training data with heads that did not see it, read from the
file that `ROUTER_OUT_OF_FOLD` names (`train_router.py --out-of-fold` writes it): the honest figure on data that was trained on.
"""

import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lynkr_desktop.config.settings import Boundaries
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.routing.route import Facts
from lynkr_desktop.engine.routing.score import place, score, with_gain
from lynkr_desktop.engine.wire import anthropic


def _facts(request: Mapping[str, Any]) -> Facts:
    return facts_of(anthropic.parse_request(json.dumps({"model": "m", "max_tokens": 10, **request}).encode()), {})


def _with_floor(value: float, facts: Facts) -> float:
    """At least the lowest score of the floor's tier: the measure sees scores only."""
    floor = score(facts).floor
    return value if floor is None else max(value, Boundaries().range_of(floor)[0])


def ours(request: Mapping[str, Any]) -> float:
    """The score as shipped."""
    facts = _facts(request)
    return _with_floor(score(facts).value, facts)


@functools.cache
def _told() -> dict[str, list[float]]:
    return dict(json.loads(Path(os.environ["ROUTER_OUT_OF_FOLD"]).read_text()))


def out_of_fold(request: Mapping[str, Any]) -> float:
    """The score by heads that did not see the ask; asks that a rule decides, or that were not trained on, as shipped."""
    facts = _facts(request)
    heads = _told().get(facts.text)
    if heads is None or score(facts).forced:
        return ours(request)
    return _with_floor(with_gain(place((heads[0], heads[1], heads[2])), heads[3]), facts)
