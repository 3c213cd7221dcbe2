"""From a full house to four times as much, for some seconds each: the served rate must hold, refusals must be quick.

A house is full with as many requests inside as there are places, and as many in line. Run as `python -m tests.bench.overload`.
Bounded: about fifteen seconds. Fails if the plateau breaks, if what is served takes longer than the line allows, if anything but
200 and 503 comes back, or if the program does not serve as before afterwards.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from tests.bench import load
from tests.bench.load import Load
from tests.bench.processes import TOKEN, start_engine, upstream

PLACES = 16
CAPACITY = 2 * PLACES  # inside, and in line
LONGEST_MS = 6_000.0  # five seconds in line at most, and then to be served
FLOOR = 0.5  # of the rate at full house: refusing costs something, too


@dataclass(slots=True)
class Seen:
    """What all clients saw. Times in seconds."""

    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


async def press(url: str, connections: int, seconds: float) -> Seen:
    """Ask again and again, as programs do that obey `retry-after` badly: after a refusal they wait a tenth of a second."""
    seen = Seen()
    asked = Load(url, load.body_of("openai", 1_000), (f"Authorization: Bearer {TOKEN}",))
    until = perf_counter() + seconds

    async def one_client() -> None:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while perf_counter() < until:
            began = perf_counter()
            writer.write(asked.request())
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1]) if length else 0)
            took = perf_counter() - began
            match head[9:12]:
                case b"200":
                    seen.served.append(took)
                case b"503":
                    seen.refused.append(took)
                    await asyncio.sleep(0.1)
                case status:
                    seen.other.append(f"{status!r} {body[:200]!r}")
        writer.close()

    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(one_client() for _ in range(connections)))
    return seen


async def measure(url: str, seconds: float) -> bool:
    """The curve: full, two, three and four times as many clients, and full again."""
    rates = []
    holds = True
    for times in (1, 2, 3, 4, 1):
        seen = await press(url, times * CAPACITY, seconds)
        rates.append(len(seen.served) / seconds)
        print(f"{times} x {CAPACITY} clients: {rates[-1]:6.0f} served/s, {_times(seen.served)}", end="; ")
        print(f"{len(seen.refused) / seconds:6.0f} refused/s, {_times(seen.refused)}")
        holds = holds and not seen.other and _part(seen.served, 0.99) < LONGEST_MS
        for words in seen.other[:3]:
            print(f"     wrong: {words}")
    return holds and min(rates[1:]) >= rates[0] * FLOOR


def _times(times: list[float]) -> str:
    return f"p50 {_part(times, 0.5):6.1f} ms, p99 {_part(times, 0.99):6.1f} ms"


def _part(times: list[float], share: float) -> float:
    """A percentile in milliseconds; 0 of none."""
    return sorted(times)[int(len(times) * share)] * 1000 if times else 0.0


def main() -> int:
    """The whole run. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each of the five loads")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lynkr-overload-") as name, upstream() as port:
        folder = Path(name)
        (folder / "lynkr").mkdir()
        settings = {"version": 1, "limits": {"max_concurrent": PLACES}}
        (folder / "lynkr" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        engine, url = start_engine(port, folder)
        try:
            holds = asyncio.run(measure(f"{url}/v1/chat/completions", options.seconds))
            print(f"memory {engine.memory_mib():.0f} MiB, alive: {engine.process.poll() is None}")
            holds = holds and engine.process.poll() is None
        finally:
            engine.end()
    print("holds" if holds else "FAILS")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
