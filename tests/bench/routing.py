"""Prints what routing costs: facts, score and route of asks never seen before, in µs of CPU. A plain look, not a floor.

    python -m tests.bench.routing

The least of many rounds is shown: the rest is the machine's noise.
"""

import json
import time
from collections.abc import Callable
from typing import Final

from lynkr_desktop.config.settings import Routing, Target, TierTargets
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.routing.score import score
from lynkr_desktop.engine.routing.tiers import route
from lynkr_desktop.engine.tokens import rough_tokens
from lynkr_desktop.engine.wire import anthropic

_SIZES: Final = {"1 KB": 1_000, "20 KB": 20_000, "1 MB": 1_000_000}
_ASKS: Final = 40  # of each size in each round, all different
_ROUNDS: Final = 9
_HEADERS: Final = {"user-agent": "bench"}
_ROUTING: Final = Routing(tiers=TierTargets(*(((Target("bench", name),)) for name in "abcd")))
_TEXTS: Final = {
    "English": "Our checkout sometimes returns stale prices under load. Find the cause in src/cart/price_cache.py, then fix it. ",
    "Russian": "Под нагрузкой сервис оплаты иногда отдаёт старые цены. Найди причину и напиши исправление с тестами. ",
    "Chinese": "我们的结算服务在高负载下偶尔返回过期的价格。请找出根本原因，然后编写修复和测试。",
    "code": "def total(items):\n    result = {}\n    for item in items:\n        result[item.name] = item\n    return result\n",
}


def main() -> None:
    """Measure and print."""
    print("µs of CPU".ljust(20) + "routing".rjust(10) + "again".rjust(10) + "rough tokens".rjust(14))
    for language, text in _TEXTS.items():
        for size, chars in _SIZES.items():
            cold, again, rough = measure(text * (chars // len(text) + 1), chars)
            print(f"{language + ', ' + size:20}{cold:10.1f}{again:10.1f}{rough:14.1f}")


def measure(text: str, chars: int) -> tuple[float, float, float]:
    """Routing of new asks, of the same asks again, and the rough count; each by the request."""
    cold, again, rough = [], [], []
    for number in range(_ROUNDS):
        requests = [_request(f"Case {number * _ASKS + at}: {text}"[:chars]) for at in range(_ASKS)]
        cold.append(_each(_routed, requests))
        again.append(_each(_routed, requests))
        rough.append(_each(rough_tokens, requests))
    return min(cold), min(again), min(rough)


def _request(ask: str) -> ChatRequest:
    body = {"model": "bench", "max_tokens": 100, "messages": [{"role": "user", "content": ask}]}
    return anthropic.parse_request(json.dumps(body).encode())


def _routed(request: ChatRequest) -> None:
    facts = facts_of(request, _HEADERS)
    route(_ROUTING, facts, score(facts), request.model)


def _each(work: Callable[[ChatRequest], object], requests: list[ChatRequest]) -> float:
    started = time.process_time()
    for request in requests:
        work(request)
    return (time.process_time() - started) / len(requests) * 1e6


if __name__ == "__main__":
    main()
