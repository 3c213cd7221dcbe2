"""Where packaging/matrix.sh puts what the matrix drives, and how a foreign process is run and ended there."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.program import ROOT

BUILD = ROOT / "build" / "matrix"
LISTS = ROOT / "packaging" / "matrix"
RUN_SECONDS = 120.0
_END_SECONDS = 10.0


def is_installed(part: str) -> bool:
    """Is this part there, in the versions that are asked for? Parts: npm, and the names of our environments."""
    wanted, ready = (f"{part}.txt", "ready.txt") if part != "npm" else ("package.json", "ready.json")
    stamp = BUILD / part / ready
    return stamp.exists() and stamp.read_bytes() == (LISTS / wanted).read_bytes()


def python_of(name: str) -> Path:
    """The interpreter of one of our environments."""
    return BUILD / name / "bin" / "python"


def script_of(name: str, command: str) -> Path:
    """A command of one of our environments."""
    return BUILD / name / "bin" / command


def npm_command(name: str) -> Path:
    """A command of the npm packages."""
    return BUILD / "npm" / "node_modules" / ".bin" / name


def npm_version(package: str) -> str:
    """The exact version that is asked for."""
    wanted: dict[str, str] = json.loads((LISTS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return wanted[package]


def python_version(package: str, name: str = "python") -> str:
    """The exact version that is asked for."""
    for line in (LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        head, _, version = line.partition("==")
        if head.split("[")[0] == package:
            return version
    raise KeyError(package)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of a program ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[Any]:
        """The JSON objects among the lines of stdout."""
        found = []
        for line in self.stdout.splitlines():
            if line.startswith("{"):
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        return found

    @property
    def words(self) -> str:
        """What a person would read of a failure."""
        return (self.stderr.strip() or self.stdout.strip())[-1500:] or f"exit code {self.code}"


def run(command: Sequence[str | Path], env: Mapping[str, str], folder: Path) -> Ended:
    """Run a program to its end. Raises `TimeoutError` after `RUN_SECONDS`."""
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        end(process)
        raise TimeoutError(f"it did not end within {RUN_SECONDS:.0f} seconds") from None
    finally:
        end(process)
    return Ended(process.returncode, stdout, stderr)


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process and what it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
