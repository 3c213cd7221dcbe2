"""The command line against the real desktop program, as two processes of one user."""

import json
import subprocess
import sys

from tests.fakes.program import ROOT
from tests.fakes.script import say
from tests.fakes.upstream import Upstream
from tests.journeys.test_tray import Program, desk, program, pytestmark, upstream
from tests.rig.desk import until

__all__ = ["desk", "program", "pytestmark", "upstream"]


def ask(program: Program, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "lynkr_desktop", *words]
    return subprocess.run(command, cwd=ROOT, env=program.environment, capture_output=True, text=True, timeout=60, check=False)


def test_status_mode_and_usage(program: Program, upstream: Upstream) -> None:
    until(lambda: ask(program, "status").returncode == 0, "the program", 60)
    until(lambda: json.loads(ask(program, "status", "--json").stdout)["is_serving"], "the endpoint", 60)
    status = json.loads(ask(program, "status", "--json").stdout)
    assert status["url"] == program.url
    assert status["mode"] == {"kind": "auto", "tier": None}
    done = ask(program, "mode", "pin", "complex")
    assert (done.returncode, done.stdout) == (0, "Mode: Pin COMPLEX\n"), done.stderr
    until(lambda: program.settings.routing.mode.tier == "COMPLEX", "the mode in the settings file")
    upstream.play(say("hello"))
    assert program.ask().status == 200
    assert upstream.chats[-1].json["model"] == "model-complex"
    until(lambda: json.loads(ask(program, "usage", "--json").stdout)["requests_today"] == 1, "today's request")
    assert ask(program, "--token").stdout.strip() == program.token
    assert "model-complex" in ask(program, "tiers").stdout
    refused = ask(program, "mode", "pin", "huge")
    assert refused.returncode == 1
    assert "Name a tier" in refused.stderr


def test_its_own_log_can_be_read(program: Program) -> None:
    until(lambda: ask(program, "status").returncode == 0, "the program", 60)
    logs = ask(program, "logs")
    assert logs.returncode == 0
    assert program.token not in logs.stdout
