"""Run the soak: `make soak ARGS="--minutes 60"`. Says what was done and what came of it, and fails if anything was lost.

Faults come one after the other, in an order drawn from the seed. In the last third of the time the program is no longer ended
from outside, so that what it keeps hold of can be seen.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any, Final

from tests.fakes.caller import Caller
from tests.fakes.program import canary
from tests.fakes.upstream import ANTHROPIC, OPENAI
from tests.soak.books import differences, figures, rows_of
from tests.soak.clients import Crowd
from tests.soak.program import Keychain, Subject
from tests.soak.vendors import Provider

_BUGS: Final = re.compile(
    r"Traceback \(most recent|never awaited|never retrieved|unclosed|Task was destroyed|ResourceWarning|a bug of ours"
)
_CLOCKS: Final = ("+86400", "-7200", "+0", "+2678400", "+0")
_MEMORY_GROWTH_MIB: Final = 25.0
_SPARE_FILES: Final = 12  # connections that are kept for the next request


class Soak:
    """One run."""

    def __init__(self, home: Path, minutes: float, clients: int, per_second: float, seed: int) -> None:
        self.seconds = minutes * 60
        self._chance = random.Random(seed)
        self._openai = Provider(OPENAI, canary("openai"), seed + 1)
        self._anthropic = Provider(ANTHROPIC, canary("anthropic"), seed + 2)
        for provider in self.providers:
            provider.start()
        self.subject = Subject(home, self._openai, self._anthropic)
        self.crowd = Crowd(lambda: self.subject.place, self.subject.was_gone, random.Random(seed + 3))
        self._clients, self._gap = clients, clients / per_second
        self.faults: Counter[str] = Counter()
        self.samples: list[tuple[float, float, int, int]] = []  # of the last life: when, memory, files, threads

    @property
    def providers(self) -> tuple[Provider, Provider]:
        """Both vendors."""
        return self._openai, self._anthropic

    async def run(self) -> None:
        """Everything at once, until the time is over."""
        began = monotonic()
        until = began + self.seconds
        self.idle_files = self.subject.open_files()
        async with asyncio.TaskGroup() as group:
            for number in range(self._clients):
                group.create_task(self.crowd.client(f"{'abcdefgh'[number % 8]}{chr(97 + number // 8)}", until, self._gap))
            group.create_task(self._break_things(began, until))
            group.create_task(self._watch(until))
        await asyncio.sleep(8)  # what was left behind by clients that hung up comes to its end
        self.active = self._active()
        self.files, self.threads = self.subject.open_files(), self.subject.threads()

    def _active(self) -> int:
        host, port, token = self.subject.place
        text = Caller(f"http://{host}:{port}", token).get("/metrics").body.decode()
        found = re.search(r"^lynkr_active_requests (\d+)(?:\.0)?$", text, re.MULTILINE)
        return int(found[1]) if found else -1

    async def _watch(self, until: float) -> None:
        life = 0
        while (left := until - monotonic()) > 0:
            await asyncio.sleep(min(left, max(2.0, self.seconds / 240)))
            try:
                if life != self.subject.lives:
                    life, self.samples = self.subject.lives, []
                sample = (monotonic(), self.subject.memory_mib(), self.subject.open_files(), self.subject.threads())
            except OSError:  # it is away
                continue
            self.samples.append(sample)

    async def _break_things(self, began: float, until: float) -> None:
        deadly: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("killed", self._kill),
            ("killed while the disk was full", self._kill_with_full_disk),
            ("asked to end", self._restart),
        ]
        if Keychain.is_available():
            deadly.append(("keychain gone", self._without_keychain))
        mild: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("a provider down", self._one_down),
            ("both providers down", self._both_down),
            ("disk full", self._disk_full),
            ("clock set", self._clock),
        ]
        gap = max(2.0, self.seconds / 120)
        while monotonic() < until - gap:
            await asyncio.sleep(gap)
            is_late = monotonic() - began > self.seconds * 0.66
            name, fault = self._chance.choice(mild if is_late else mild + deadly)
            print(f"{monotonic() - began:7.1f} s  {name}", file=sys.stderr, flush=True)
            await fault()
            self.faults[name] += 1

    async def _one_down(self) -> None:
        await self._down(self._chance.choice(self.providers))

    async def _both_down(self) -> None:
        await self._down(*self.providers)

    async def _down(self, *providers: Provider) -> None:
        for provider in providers:
            await asyncio.to_thread(provider.down)
        await asyncio.sleep(self._chance.uniform(1, 8))
        for provider in providers:
            await asyncio.to_thread(provider.up)

    async def _disk_full(self) -> None:
        self.subject.fill_disk(is_full=True)
        await asyncio.sleep(self._chance.uniform(2, 12))
        self.subject.fill_disk(is_full=False)

    async def _kill_with_full_disk(self) -> None:
        self.subject.fill_disk(is_full=True)
        await asyncio.sleep(self._chance.uniform(1, 5))
        await self._kill()

    async def _kill(self) -> None:
        await asyncio.to_thread(self.subject.kill)

    async def _restart(self) -> None:
        await asyncio.to_thread(self.subject.restart)

    async def _clock(self) -> None:
        words = self._chance.choice(_CLOCKS)
        if not self.subject.set_clock(words):
            self.faults["clock could not be set here"] += 1

    async def _without_keychain(self) -> None:
        """It goes while the program runs, is still gone when that starts anew, and comes back."""
        await asyncio.to_thread(self.subject.keychain.end)
        await asyncio.sleep(2)
        await self._kill()
        await asyncio.sleep(3)
        await asyncio.to_thread(self.subject.keychain.start, self._openai.key)
        await self._restart()

    def result(self) -> tuple[dict[str, Any], list[str]]:
        """The report, and what is wrong. Ends everything."""
        cpu = self.subject.cpu_seconds()
        self.subject.stop()
        for provider in self.providers:
            provider.stop()
        rows = rows_of(self.subject.ledger_file)
        wrong = differences(rows, self.providers, self.crowd.seen) + self.crowd.illegal
        wrong += [f"a provider would have refused: {each}" for provider in self.providers for each in provider.complaints]
        wrong += [f"the program said: {said[:2000]}" for said in self.subject.said if _BUGS.search(said)]
        wrong += self._leaks()
        left = [path.name for path in self.subject.ledger_file.parent.glob("ledger.journal-*")]
        wrong += [f"left behind: {name}" for name in left]
        kinds = Counter(kind for provider in self.providers for kinds in provider.log.values() for kind in kinds)
        report = {
            "seconds": round(self.seconds),
            "requests of clients": sum(self.crowd.counts.values()),
            "what clients saw": dict(self.crowd.counts.most_common()),
            "requests at the providers": sum(kinds.values()),
            "what they answered": dict(kinds.most_common()),
            "faults": dict(self.faults.most_common()),
            "lives": self.subject.lives,
            "ledger": figures(rows),
            "last life": self._last_life() | {"cpu seconds": round(cpu, 1)},
            "wrong": len(wrong),
        }
        return report, wrong

    def _leaks(self) -> list[str]:
        wrong = []
        if self.active:
            wrong.append(f"{self.active} requests are still active when nobody asks")
        if self.files > self.idle_files + _SPARE_FILES:
            wrong.append(f"{self.files} files are open when nobody asks; {self.idle_files} were at the start")
        half = self.samples[len(self.samples) // 2 :]
        if len(half) > 20:
            growth = _median([each[1] for each in half[-10:]]) - _median([each[1] for each in half[:10]])
            if growth > _MEMORY_GROWTH_MIB:
                wrong.append(f"memory grew by {growth:.1f} MiB in the second half of the last life")
        return wrong

    def _last_life(self) -> dict[str, Any]:
        if not self.samples:
            return {}
        quarter = max(1, len(self.samples) // 4)
        parts = [self.samples[start : start + quarter] for start in range(0, len(self.samples), quarter)]
        return {
            "seconds": round(self.samples[-1][0] - self.samples[0][0]),
            "memory MiB by quarters": [round(_median([each[1] for each in part]), 1) for part in parts],
            "open files by quarters": [max(each[2] for each in part) for part in parts],
            "threads by quarters": [max(each[3] for each in part) for part in parts],
            "idle at the end": {"active": self.active, "open files": self.files, "threads": self.threads},
        }


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def main() -> int:
    """The whole run. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--per-second", type=float, default=10.0, help="requests of all clients together")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lynkr-soak-") as name:
        soak = Soak(Path(name), options.minutes, options.clients, options.per_second, options.seed)
        try:
            asyncio.run(soak.run())
        finally:
            report, wrong = soak.result()
        print(json.dumps(report, indent=1))
        for words in wrong[:50]:
            print(f"WRONG {words}")
    print("holds" if not wrong else "FAILS")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
