"""The first start of the real program, with a keyboard: from nothing, through the welcome, to the first routed request."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.caller import Caller
from tests.fakes.program import ROOT, canary, free_port, private_environment
from tests.rig.desk import Desk, missing_programs, private_desk, until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(bool(missing_programs()), reason=f"needs {', '.join(missing_programs())}"),
    pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs xdotool"),
    pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="needs the built-in model"),
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "desk"
    folder.mkdir()
    with private_desk(folder) as desk:
        yield desk


def test_first_start_to_first_request(desk: Desk, tmp_path: Path) -> None:
    token = canary("token")
    data = tmp_path / "lynkr"
    environment = private_environment(tmp_path / "home") | dict(desk.environment)
    environment |= {
        "LYNKR_DATA_DIR": str(data),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PORT": str(free_port()),
        "LYNKR_TOKEN": token,
    }
    command = [sys.executable, "-W", "default", "-m", "lynkr_desktop"]

    def ask(*words: str) -> dict[str, object]:
        done = subprocess.run([*command, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        answer: dict[str, object] = json.loads(done.stdout) if done.returncode == 0 else {}
        return answer

    def press(*keys: str) -> None:
        subprocess.run(["xdotool", "key", "--delay", "60", *keys], env=environment, check=True)

    def windows() -> list[str]:
        search = ["xdotool", "search", "--onlyvisible", "--name", "Lynkr"]
        return subprocess.run(search, env=environment, capture_output=True, text=True, check=False).stdout.split()

    log = tmp_path / "program.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=errors, stderr=errors)
        try:
            window = until(windows, "the window", 60)[0]
            until(lambda: ask("status", "--json").get("is_serving"), "the endpoint", 60)
            assert not (data / "settings.json").exists()
            body = {"model": "lynkr-auto", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 8}
            reply = Caller(f"http://127.0.0.1:{environment['PORT']}", token).post("/v1/chat/completions", body)
            assert reply.status == 200, reply.body
            until(lambda: ask("usage", "--json").get("requests_today") == 1, "the first request", 60)
            subprocess.run(["xdotool", "windowfocus", "--sync", window], env=environment, check=True)
            press("Tab", "space")  # the way out is the first thing that the keyboard reaches
            until((data / "settings.json").exists, "the end of the welcome")
        finally:
            process.terminate()
            process.wait(60)
    said = log.read_text(errors="replace")
    assert "Traceback" not in said, said
    assert token not in said
    assert process.returncode == 0, said
