"""Where real client programs are found, and how they are run: in a private home, with a limit, ended by their own pid."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.program import ROOT, Program, private_environment

RUN_SECONDS = 180.0


def find(name: str) -> Path:
    """A client's command. Skips the test where it is not installed, but fails in CI, where it must be."""
    folders = [Path(os.environ["LYNKR_TEST_CLIENTS"])] if "LYNKR_TEST_CLIENTS" in os.environ else []
    for folder in (*folders, ROOT / "build" / "clients"):
        command = folder / "node_modules" / ".bin" / name
        if command.exists() and shutil.which("node"):
            return command
    reason = f"{name} is not installed: packaging/clients.sh puts it into build/clients, LYNKR_TEST_CLIENTS names another folder"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of a client ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> Any:
        """What Claude Code prints with `--output-format json`."""
        return json.loads(self.stdout)


def run_claude(command: Path, program: Program, prompt: str, folder: Path, **more: str) -> Ended:
    """One prompt in Claude Code's print mode, with the program as its only way out."""
    home = folder / "claude-home"
    work = folder / "work"
    for each in (home, work):
        each.mkdir(exist_ok=True)
    env = private_environment(home) | {
        "ANTHROPIC_BASE_URL": program.url,
        "ANTHROPIC_API_KEY": program.token,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "IS_SANDBOX": "1",
        "API_TIMEOUT_MS": "120000",
        **more,
    }
    arguments = ["-p", prompt, "--output-format", "json", "--dangerously-skip-permissions", "--max-turns", "12"]
    return run([str(command), *arguments], env, work)


def run(command: Sequence[str], env: Mapping[str, str], folder: Path) -> Ended:
    """Run a client to its end, in a folder and an environment of its own."""
    with subprocess.Popen(
        list(command),
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            pytest.fail(f"{command[0]} did not end:\n{stdout}\n{stderr}")
    return Ended(process.returncode, stdout, stderr)
