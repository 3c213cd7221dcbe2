"""Measures, prints the table, and fails if a floor is broken. Bounded: under four minutes.

Believe, in this order: CPU per request, ratios, medians, then absolute rates. Each round visits both programs with every case,
so that a noisy moment of the machine hits both alike.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.bench import holding, load, tokens
from tests.bench.load import Load
from tests.bench.processes import TOKEN, Program, nginx, start_engine, upstream
from tests.bench.report import Figures, floors_of, table

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
WORDS = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load. `words` other than 0 streams."""

    name: str
    size: int
    connections: int
    words: int = 0


CASES = (
    Case("1k c1", 1_000, 1),
    Case("1k c16", 1_000, 16),
    Case("100k c1", 100_000, 1),
    Case("100k c16", 100_000, 16),
    Case("stream c4", 1_000, 4, WORDS),
    Case("first word", 1_000, 1, 4),
)


def main() -> int:
    """The whole bench. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.8, help="of each case in each round")
    parser.add_argument("--drift", type=int, default=30_000, help="requests between the first and the last CPU reading")
    parser.add_argument("--out", type=Path, help="write all figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lynkr-bench-") as folder, upstream() as port:
        figures = asyncio.run(measure(port, Path(folder), options.rounds, options.seconds))
        alone = asyncio.run(measure_alone(port, Path(folder) / "alone", options.drift))
        held = holding.measure(port, Path(folder) / "held")
    floors = floors_of(figures, alone, held)
    print(table(figures, alone, floors))
    print("\n" + tokens.table())
    if options.out:
        options.out.write_text(json.dumps({"cases": figures, "alone": alone, "held": held}, indent=1))
    return 0 if all(floor.holds for floor in floors) else 1


async def measure(port: int, folder: Path, rounds: int, seconds: float) -> dict[str, Figures]:
    """Both programs in turn: figures by `program wire case`."""
    gathered: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with nginx(port, folder) as (proxy, proxy_url):
        engine, engine_url = start_engine(port, folder)
        try:
            for _ in range(rounds):
                for case in CASES:
                    for wire in PATHS:
                        for name, program, url in (
                            ("direct", None, f"http://127.0.0.1:{port}"),
                            ("nginx", proxy, proxy_url),
                            ("lynkr", engine, engine_url),
                        ):
                            if program is None and case.connections > 1:
                                continue
                            for key, value in (await one_case(program, url, wire, case, seconds)).items():
                                gathered[f"{name} {wire} {case.name}"][key].append(value)
        finally:
            engine.end()
    return {key: {name: statistics.median(values) for name, values in lists.items()} for key, lists in gathered.items()}


async def one_case(program: Program | None, url: str, wire: str, case: Case, seconds: float) -> Figures:
    """Warm the connections up, then measure one case. Raises `RuntimeError` on any wrong answer."""
    asked = Load(
        url + PATHS[wire], load.body_of(wire, case.size, case.words), (f"Authorization: Bearer {TOKEN}",), case.words or 1
    )
    await load.checked(asked, case.connections, requests=case.connections * 3)
    before = program.cpu_seconds() if program else 0.0
    outcome = await load.checked(asked, case.connections, seconds=seconds)
    figures: Figures = {"per second": outcome.per_second, "median ms": outcome.median_ms}
    if case.words:
        figures["first word ms"] = outcome.median_first_word_ms
    if program:
        cpu = program.cpu_seconds() - before
        # Never 0, however coarse the kernel counts: others divide by it.
        figures["cpu us"] = max(cpu, 0.01) / len(outcome.times) * 1e6
        if case.words:
            figures["cpu us per event"] = figures["cpu us"] / case.words
    return figures


async def measure_alone(port: int, folder: Path, requests: int) -> Figures:
    """What has no counterpart in nginx: cold start, memory, and whether a request costs more after many others."""
    starts = []
    for turn in range(3):
        began = time.perf_counter()
        engine, url = start_engine(port, folder / str(turn))
        asked = Load(url + PATHS["openai"], load.body_of("openai", 1_000), (f"Authorization: Bearer {TOKEN}",))
        try:
            await load.checked(asked, 1, requests=1)
            starts.append(time.perf_counter() - began)
            if turn == 2:
                lasting = await measure_lasting(engine, asked, requests)
        finally:
            engine.end()
    return {"cold start s": statistics.median(starts), **lasting}


async def measure_lasting(engine: Program, asked: Load, requests: int) -> Figures:
    """Memory and CPU per request of a young engine and of an old one."""
    idle = engine.memory_mib()
    await load.checked(asked, 8, requests=1_000)
    young = await cpu_of(engine, asked)
    await load.checked(asked, 8, requests=requests // 3)
    after_third = engine.memory_mib()
    await load.checked(asked, 8, requests=requests - requests // 3)
    old = await cpu_of(engine, asked)
    return {
        "memory idle MiB": idle,
        f"memory after {requests // 3 + 3_500} MiB": after_third,
        f"memory after {requests + 6_000} MiB": engine.memory_mib(),
        "cpu old / young": old / young,
    }


async def cpu_of(engine: Program, asked: Load) -> float:
    """CPU seconds per request over 2,500 of them."""
    before = engine.cpu_seconds()
    await load.checked(asked, 8, requests=2_500)
    return (engine.cpu_seconds() - before) / 2_500


if __name__ == "__main__":
    sys.exit(main())
