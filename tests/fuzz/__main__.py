"""Fuzz each parser with atheris: `python -m tests.fuzz [SECONDS [WORD…]]`, the targets whose names hold one of the words.

Each target runs in a process of its own, from the seeds and from what earlier runs found in build/fuzz. What makes a target fail
is kept there as `crash-…`; `python -m tests.fuzz 0 TARGET FILE` runs it once more.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_SECONDS: Final = 60
_SLOWEST_SECONDS: Final = 20  # a single input that takes longer is a fault
_EXECUTIONS: Final = re.compile(r"Done (\d+) (?:runs|in)|#(\d+)\s+DONE")


def main(arguments: list[str]) -> int:
    """Fuzz, and say how often each target ran. 1 if one failed."""
    seconds = int(arguments[0]) if arguments else _SECONDS
    words = arguments[1:]
    if seconds == 0:
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415  the runs below import it under atheris

        TARGETS[words[0]].run(Path(words[1]).read_bytes())
        return 0
    listed = subprocess.run(
        [sys.executable, "-c", "from tests.fuzz.targets import TARGETS; print(*TARGETS)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    failed = 0
    for name in listed.stdout.split():
        if not words or any(word in name for word in words):
            failed += not _fuzz(name, seconds)
    return 1 if failed else 0


def _fuzz(name: str, seconds: int) -> bool:
    corpus = ROOT / "build" / "fuzz" / name
    corpus.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={seconds}", f"-timeout={_SLOWEST_SECONDS}", "-max_len=8192", "-rss_limit_mb=2048"]
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.under_atheris",
        name,
        *limits,
        f"-artifact_prefix={corpus.parent}/{name}-",
        str(corpus),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    counts = [int(number) for found in _EXECUTIONS.findall(done.stderr) for number in found if number]
    print(f"{name:<28} {max(counts, default=0):>10,} executions  {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode:
        print("\n".join((done.stdout + done.stderr).splitlines()[-40:]), flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
