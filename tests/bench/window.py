"""What the open window costs the proxy: the same load through the engine alone and through the desktop program.

`python -m tests.bench.window` prints both and their ratios. The window is real, drawn by Qt's offscreen platform, its overview
open and live. Bounded: about half a minute. Floors: rate at least 0.6, median of a single client at most 4 times.
"""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench import load
from tests.bench.__main__ import PATHS
from tests.bench.load import Load
from tests.bench.processes import TOKEN, Program, environment_of, free_port, start_engine, upstream, wait_for_port

ROUNDS = 3
SECONDS = 1.5
LEAST_RATE = 0.6
MOST_MEDIAN = 4.0


def main() -> int:
    """Measure and print. Exit code 1 if a floor is broken."""
    with tempfile.TemporaryDirectory(prefix="lynkr-bench-") as folder, upstream() as port:
        engine, engine_url = start_engine(port, Path(folder) / "alone", core=None)
        window, window_url = start_window(port, Path(folder) / "window")
        try:
            figures = asyncio.run(measure({"engine alone": engine_url, "with its window": window_url}))
            memory = window.memory_mib()
        finally:
            engine.end()
            window.end()
    for name, (median, slowest, rate) in figures.items():
        print(f"{name:16}  median {median:6.2f} ms  p99 {slowest:6.2f} ms  at 16 clients {rate:7,.0f} a second")
    (alone_median, _, alone_rate), (median, _, rate) = figures.values()
    print(f"rate with the window open: {rate / alone_rate:.2f} (least {LEAST_RATE})")
    print(f"median of one client with the window open: {median / alone_median:.2f} times (most {MOST_MEDIAN})")
    print(f"memory of the desktop program, window open: {memory:.0f} MiB")
    return 0 if rate / alone_rate >= LEAST_RATE and median / alone_median <= MOST_MEDIAN else 1


def start_window(port: int, folder: Path) -> tuple[Program, str]:
    """The desktop program with its window open, serving."""
    own = free_port()
    environment = environment_of(port, folder, own) | {"QT_QPA_PLATFORM": "offscreen"}
    program = Program([sys.executable, "-m", "lynkr_desktop"], environment=environment)
    wait_for_port(own, 20)
    return program, f"http://127.0.0.1:{own}"


async def measure(urls: dict[str, str]) -> dict[str, tuple[float, float, float]]:
    """Median and 99th percentile of one client in milliseconds, and the rate of sixteen, by name."""
    gathered: dict[str, list[tuple[float, float, float]]] = {name: [] for name in urls}
    for turn in range(ROUNDS + 1):
        for name, url in urls.items():
            asked = Load(url + PATHS["openai"], load.body_of("openai", 1_000), (f"Authorization: Bearer {TOKEN}",))
            single = await load.checked(asked, 1, seconds=SECONDS)
            many = await load.checked(asked, 16, seconds=SECONDS)
            if turn:  # the first round only warms up
                slowest = statistics.quantiles(single.times, n=100)[98] * 1000
                gathered[name].append((single.median_ms, slowest, many.per_second))
    return {name: tuple(map(statistics.median, zip(*rows, strict=True))) for name, rows in gathered.items()}


if __name__ == "__main__":
    sys.exit(main())
