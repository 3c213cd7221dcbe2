"""The program under test and what it stands on, each of which can be taken away: its life, its disk, its clock, its keychain."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.fakes.program import ROOT, Program, canary, free_port
from tests.soak.vendors import Provider

_FAKE_CLOCK: Final = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
_PASSWORD: Final = b"for-tests-only"
_KEYRING: Final = ("dbus-daemon", "gnome-keyring-daemon", "gdbus")
_STORE_KEY: Final = """
import asyncio, os, sys
from lynkr_desktop.config.secrets import KeychainSecrets, Secret
store = KeychainSecrets()
asyncio.run(store.set("openai", Secret(sys.stdin.read())))
print(store.state.value)
"""
_TIERS: Final = {
    "SIMPLE": "openai:gpt-4o-mini,anthropic:claude-haiku-4-5",
    "MEDIUM": "anthropic:claude-haiku-4-5,openai:gpt-4o-mini",
    "COMPLEX": "anthropic:claude-sonnet-4-5,openai:gpt-4o",
    "REASONING": "openai:gpt-4o,anthropic:claude-sonnet-4-5",
}


class Keychain:
    """A real Secret Service on a bus of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environment: dict[str, str] = {}

    @staticmethod
    def is_available() -> bool:
        """Are its programs installed?"""
        return all(map(shutil.which, _KEYRING))

    def start(self, key: str) -> None:
        """Make a new one that holds the key."""
        shutil.rmtree(self._folder, ignore_errors=True)
        places = {
            "HOME": "home",
            "XDG_RUNTIME_DIR": "run",
            "XDG_DATA_HOME": "data",
            "XDG_CONFIG_HOME": "config",
            "XDG_CACHE_HOME": "cache",
        }
        for name in places.values():
            (self._folder / name).mkdir(parents=True, mode=0o700)
        environment = {"PATH": os.environ["PATH"]} | {name: str(self._folder / place) for name, place in places.items()}
        bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address=1"], env=environment, stdout=subprocess.PIPE
        )
        assert bus.stdout is not None
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock"]
        daemon = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert daemon.stdin is not None
        daemon.stdin.write(_PASSWORD)
        daemon.stdin.close()
        self._processes = [daemon, bus]
        self.environment = {"DBUS_SESSION_BUS_ADDRESS": environment["DBUS_SESSION_BUS_ADDRESS"]}
        ask = ["gdbus", "wait", "--session", "--timeout=20", "org.freedesktop.secrets"]
        subprocess.run(ask, env=environment, check=True)
        kept = subprocess.run(
            [sys.executable, "-c", _STORE_KEY], env=environment, input=key.encode(), capture_output=True, cwd=ROOT, check=True
        )
        assert kept.stdout.strip() == b"ready", kept

    def end(self) -> None:
        """Gone, as after a crash."""
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self._processes = []


class Subject:
    """The program through all its lives. `outages` lists when it was away, in seconds of the monotonic clock."""

    def __init__(self, home: Path, openai: Provider, anthropic: Provider) -> None:
        self.lives = 0
        self.outages: list[list[float]] = []
        self.said: list[str] = []
        self.keychain = Keychain(home / "session")
        self._home = home
        self._openai_key = openai.key
        self._clock_file = home / "clock"
        self._clock_file.write_text("+0")
        self._environment = {
            "PORT": str(free_port()),
            "LYNKR_TOKEN": canary("token"),
            "ANTHROPIC_API_KEY": anthropic.key,
            "ANTHROPIC_API_BASE": anthropic.url,
            **{f"TIER_{tier}": targets for tier, targets in _TIERS.items()},
        }
        if Keychain.is_available():
            self.keychain.start(openai.key)
            self._environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.SecretService.Keyring"
        else:
            self._environment["OPENAI_API_KEY"] = openai.key
        if _FAKE_CLOCK is not None:
            self._environment |= {
                "LD_PRELOAD": str(_FAKE_CLOCK),
                "FAKETIME_TIMESTAMP_FILE": str(self._clock_file),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
            }
        settings = {
            "version": 1,
            "accounts": [{"id": "openai", "provider": "openai", "base_url": openai.url, "key_origin": openai.url}],
            "limits": {"connect_seconds": 3, "first_byte_seconds": 5, "idle_seconds": 3},
        }
        (home / "lynkr").mkdir()
        (home / "lynkr" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        self._program = self._started()

    def _started(self) -> Program:
        self.lives += 1
        return Program(self._home, self._environment | self.keychain.environment).wait_until_ready()

    @property
    def place(self) -> tuple[str, int, str]:
        """Host, port and token."""
        return "127.0.0.1", self._program.port, self._program.token

    @property
    def process_id(self) -> int:
        """Of the present life."""
        return self._program.process.pid

    @property
    def ledger_file(self) -> Path:
        """Where the rows are."""
        return self._program.data_dir / "ledger.db"

    def was_gone(self, since: float) -> bool:
        """Was it away at any time since a moment?"""
        return any(end >= since for _, end in self.outages)

    def kill(self) -> None:
        """End it at once, and start it again."""
        self._again(self._program.kill)

    def restart(self) -> None:
        """Ask it to end, and start it again."""
        self._again(lambda: self._check(self._program.stop()))

    def _again(self, end: Callable[[], object]) -> None:
        outage = [time.monotonic(), float("inf")]
        self.outages.append(outage)
        end()
        self.said.append(self._program.stderr)
        self._program = self._started()
        outage[1] = time.monotonic() + 0.5

    def stop(self) -> None:
        """For good."""
        self._check(self._program.stop())
        self.said.append(self._program.stderr)
        self.keychain.end()

    def _check(self, code: int) -> None:
        assert code == 0, self._program.stderr

    def fill_disk(self, *, is_full: bool) -> None:
        """Let no file grow, or let them again."""
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self.process_id, resource.RLIMIT_FSIZE, (1 if is_full else hard, hard))

    def set_clock(self, words: str) -> bool:
        """How far its clock is from the real one: `+86400`, `-7200`. False if that cannot be done here."""
        self._clock_file.write_text(words)
        return _FAKE_CLOCK is not None

    # What it holds

    def open_files(self) -> int:
        """Files and sockets."""
        return len(os.listdir(f"/proc/{self.process_id}/fd"))  # noqa: PTH208

    def threads(self) -> int:
        """Threads."""
        return len(os.listdir(f"/proc/{self.process_id}/task"))  # noqa: PTH208

    def memory_mib(self) -> float:
        """Its own memory, without what it shares."""
        for line in Path(f"/proc/{self.process_id}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def cpu_seconds(self) -> float:
        """User and system time of this life."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
