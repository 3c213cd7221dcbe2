"""Test the packaged program as a person would first meet it: `smoke_test.py FOLDER`. Prints what held, stops where it does not.

On a virtual screen, in an empty home: it tests itself, then runs with its window, lets its built-in model answer a real request,
and ends cleanly when the system asks. Nothing of the machine's Python is used by the program.
"""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

TOKEN: Final = "smoke-test"  # noqa: S105 - opens nothing but this test
START_SECONDS: Final = 30.0


def main() -> None:
    """Run all of it."""
    program = Path(sys.argv[1]).resolve() / "lynkr-desktop"
    with tempfile.TemporaryDirectory(prefix="lynkr-smoke-") as home, _screen() as display:
        environment = {
            "HOME": home,
            "PATH": "/usr/bin:/bin",
            "DISPLAY": display,
            "LC_ALL": "C.UTF-8",
            "LYNKR_DATA_DIR": f"{home}/lynkr",
            "LYNKR_TOKEN": TOKEN,
            "PORT": str(_free_port()),
        }
        _check_itself(program, environment)
        _check_window(program, environment)


def _check_itself(program: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [program, "--self-check"], env=environment, capture_output=True, text=True, timeout=START_SECONDS * 2, check=False
    )
    _expect(done.returncode == 0, f"--self-check exits with 0: {done.stdout}{done.stderr}")
    facts = json.loads(done.stdout)
    _expect(facts.get("ok") is True, f"--self-check is content: {facts}")


def _check_window(program: Path, environment: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{environment['PORT']}"
    began = time.monotonic()
    process = subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        health = _wait_for(f"{url}/health", process)
        _expect(health.get("status") == "ok", f"/health answers {time.monotonic() - began:.1f} s after the start")
        body = {"model": "any", "max_tokens": 24, "messages": [{"role": "user", "content": "Say hello in one short sentence."}]}
        answer = _ask(f"{url}/v1/messages", body)
        text = "".join(part.get("text", "") for part in answer["content"])
        _expect(bool(text.strip()), f"the built-in model answers: {text!r}")
        process.send_signal(signal.SIGTERM)
        code = process.wait(15)
        _expect(code == 0, f"SIGTERM ends it with {code}")
        assert process.stderr is not None
        said = process.stderr.read()
        _expect("Traceback" not in said, f"nothing went wrong on the way {said}".rstrip())
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _expect(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"smoke test: FAILED: {what}")
    print(f"smoke test: {what}")


def _wait_for(url: str, process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The first answer of an address. Ends the test if the program ends or the time does."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return dict(json.load(answer))
        except OSError:
            time.sleep(0.05)
    process.kill()
    sys.exit(f"smoke test: FAILED: no answer from {url}: {process.communicate()[1]}")


def _ask(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """A request as a client sends it. The keychain or the model may not be ready yet: the program says so, and we ask again."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}", "anthropic-version": "2023-06-01"}
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=60) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as refusal:
            said = refusal.read().decode()
            is_early = refusal.code >= 500 or "not known yet" in said
            if not is_early or time.monotonic() > until:
                sys.exit(f"smoke test: FAILED: {refusal.code} {said}")
            time.sleep(0.5)


@contextmanager
def _screen() -> Iterator[str]:
    """A virtual screen of its own; gives its name."""
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
    finally:
        server.terminate()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
