"""A real keychain (gnome-keyring on its own D-Bus session): keys outlive the program and lie in no file of ours."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

_ROOT: Final = Path(__file__).parents[2]
_RIG: Final = _ROOT / "tests" / "rig" / "with_keyring.sh"
_CANARY: Final = "sk-canary-0815-the-key"
_NEEDED: Final = ("gnome-keyring-daemon", "dbus-run-session", "gdbus")

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(any(shutil.which(name) is None for name in _NEEDED), reason=f"needs {', '.join(_NEEDED)}"),
]

# What one run of the program does: save settings, keep or read a key, write a row of the ledger; then tell what it saw.
_RUN: Final = """
import asyncio, json, os, sys, time
from lynkr_desktop.config.file import save
from lynkr_desktop.config.paths import create_folders, paths
from lynkr_desktop.config.secrets import KeychainSecrets, Secret, endpoint_token
from lynkr_desktop.config.settings import Account, Settings
from lynkr_desktop.engine.store.ledger import Ledger
from tests.engine.store.exchanges import exchange

async def main():
    places = paths(os.environ)
    create_folders(places)
    store = KeychainSecrets()
    if os.environ.get("KEY"):
        await store.set("openai", Secret(os.environ["KEY"]))
    key, token = await store.get("openai"), await endpoint_token(store)
    save(places.settings_file, Settings(accounts=(Account("openai", "openai"),)))
    ledger = Ledger(places.ledger_file)
    ledger.open()
    ledger.record(exchange(1))
    ledger.close()
    print(json.dumps([key.reveal() if key else None, token.reveal(), store.state, store.detail]))

asyncio.run(main())
"""


def _run(tmp_path: Path, runs: str, *options: str) -> list[list[Any]]:
    """Run a shell line in the session; each line of its output is what one run of the program saw."""
    program = tmp_path / "run.py"
    program.write_text(_RUN)
    environment = {
        **os.environ,
        "LYNKR_DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    script = f'run() {{ "{sys.executable}" "{program}"; }}; {runs}'
    command = [str(_RIG), *options, str(tmp_path / "session"), "bash", "-c", script]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert _CANARY not in ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def _files_with(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_key_outlives_the_program_and_is_in_no_file(tmp_path: Path) -> None:
    first, second = _run(tmp_path, f"KEY={_CANARY} run && run")
    assert first == [_CANARY, first[1], "ready", ""]
    assert second == first
    assert first[1].startswith("lynkr-")
    assert {"settings.json", "ledger.db"} <= {path.name for path in (tmp_path / "data").iterdir()}
    for secret in (_CANARY, first[1]):
        assert _files_with(tmp_path / "data", secret) == []
        assert _files_with(tmp_path / "session", secret) == []  # the keychain itself keeps it encrypted


def test_a_locked_keychain_keeps_the_key_for_the_session_only(tmp_path: Path) -> None:
    first, second = _run(tmp_path, f"KEY={_CANARY} run && run", "--locked")
    assert (first[0], first[2]) == (_CANARY, "locked")
    assert "Unlock it" in first[3]
    assert (second[0], second[2]) == (None, "locked")
    assert second[1] != first[1]
    assert _files_with(tmp_path / "data", _CANARY) == []


def test_without_a_keychain_the_user_is_told(tmp_path: Path) -> None:
    program = tmp_path / "run.py"
    program.write_text(_RUN)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LYNKR_DATA_DIR": str(tmp_path / "data")}
    environment |= {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "KEY": _CANARY}
    environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={tmp_path}/no-bus"
    ran = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, env=environment, timeout=60, check=True)
    key, _, state, detail = json.loads(ran.stdout)
    assert (key, state) == (_CANARY, "missing")
    assert "until the program ends" in detail
    assert _files_with(tmp_path / "data", _CANARY) == []
