"""The real program as a process of its own: private home, free port, output kept, ended by its own pid."""

import contextlib
import json
import os
import queue
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
START_SECONDS: Final = 60.0
_KEPT: Final = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP", "LANG", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_START")
_SIGNS_OF_BUGS: Final = re.compile(
    r"Traceback \(most recent|never awaited|never retrieved|unclosed|Task was destroyed|ResourceWarning"
)


def canary(name: str) -> str:
    """A key that exists nowhere else, in no shape by which a log filter could know it."""
    return f"canary-{name}-{secrets.token_hex(12)}"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """One running `lynkr_desktop --headless`. `token` opens its endpoint; `env` is what it was started with.

    `prefix` is a command that runs the program, e.g. with limits.
    """

    def __init__(self, home: Path, env: Mapping[str, str], prefix: tuple[str, ...] = (), arguments: tuple[str, ...] = ()) -> None:
        self.home = home
        self.token = canary("token")
        self.env = private_environment(home) | {"PORT": str(free_port()), "LYNKR_TOKEN": self.token} | dict(env)
        self.token = self.env["LYNKR_TOKEN"]
        self.data_dir = Path(self.env["LYNKR_DATA_DIR"])
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-X", "faulthandler", "-W", "default", "-m", "lynkr_desktop", "--headless", *arguments],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._out: list[bytes] = []
        self._errors: list[bytes] = []
        self._readers = [
            threading.Thread(target=self._read_out, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.url = ""

    def wait_until_ready(self) -> "Program":
        """Wait for the line that says where it serves. Fails with the program's own words if it ends instead."""
        try:
            line = self._lines.get(timeout=START_SECONDS)
        except queue.Empty:
            line = b""
        if not line:
            self.kill()
            raise AssertionError(f"the program did not start (exit {self.process.poll()}):\n{self.stderr}")
        self.announced: dict[str, Any] = json.loads(line)
        self.url = self.announced["url"]
        return self

    @property
    def port(self) -> int:
        """The port that it really serves on."""
        return int(self.url.rsplit(":", 1)[1].rstrip("/"))

    @property
    def stderr(self) -> str:
        """What it said on stderr so far."""
        return b"".join(self._errors).decode("utf-8", "replace")

    @property
    def stdout(self) -> str:
        """What it said on stdout so far."""
        return b"".join(self._out).decode("utf-8", "replace")

    def stop(self) -> int:
        """Ask it to end as the system would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit code. Kills it if it does not end."""
        try:
            code = self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the program did not end:\n{self.stderr}") from None
        self._drain()
        return code

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self._drain()

    def check_end(self, words: tuple[str, ...]) -> None:
        """Stop it and look at what it left: no bug in its output, and none of these words anywhere."""
        code = self.stop()
        assert code == 0, f"exit {code}:\n{self.stderr}"
        found = _SIGNS_OF_BUGS.search(self.stderr)
        assert found is None, self.stderr
        for word in (self.token, *words):
            assert word not in self.stderr, f"a secret or prompt is in stderr: {word}"
            assert word not in self.stdout, f"a secret or prompt is in stdout: {word}"
            leaks = [path for path in files_below(self.home) if word.encode() in path.read_bytes()]
            assert leaks == [], f"a secret or prompt is in files: {word}"

    def _read_out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._out.append(line)
            self._lines.put(line)
        self._lines.put(b"")

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._errors.append(line)

    def _drain(self) -> None:
        for reader in self._readers:
            reader.join(START_SECONDS)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def private_environment(home: Path) -> dict[str, str]:
    """An environment that leads to nothing of the person who runs the tests."""
    folders = {"XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache"}
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return (
        kept
        | {name: str(home / folder) for name, folder in folders.items()}
        | {
            "HOME": str(home),
            "USERPROFILE": str(home),
            "APPDATA": str(home / "roaming"),
            "LOCALAPPDATA": str(home / "local"),
            "LYNKR_DATA_DIR": str(home / "lynkr"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PYTHONUTF8": "1",
            "PYTHONFAULTHANDLER": "1",
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "127.0.0.1,localhost",
        }
    )


def files_below(folder: Path) -> Iterator[Path]:
    """Every ordinary file of a folder."""
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
