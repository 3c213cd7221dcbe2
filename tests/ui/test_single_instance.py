"""Two starts of one user, as processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from lynkr_desktop.ui import single_instance
from lynkr_desktop.ui.single_instance import Claim, SingleInstance, take_activation_token
from tests.fakes.program import ROOT

_START = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from lynkr_desktop.ui.single_instance import SingleInstance
application = QCoreApplication([])
instance = SingleInstance(Path(sys.argv[1]))
print(instance.claim(sys.argv[2:], "token-1").value, flush=True)
if "stay" in sys.argv:
    application.exec()
"""


def start(path: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _START, str(path), *arguments], cwd=ROOT, stdout=subprocess.PIPE)


def first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "lynkr.sock"


@pytest.fixture
def first(path: Path, qtbot: QtBot) -> Iterator[SingleInstance]:
    instance = SingleInstance(path)
    assert instance.claim(["first"]) is Claim.FIRST
    yield instance
    instance.close()


def test_second_start_hands_its_arguments_over(first: SingleInstance, path: Path, qtbot: QtBot) -> None:
    spy = QSignalSpy(first.called)
    with start(path, "--page", "tiers") as second:
        qtbot.waitUntil(lambda: spy.count() == 1, timeout=20_000)
        assert spy.at(0) == [["--page", "tiers"], "token-1"]
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=20_000)
        assert first_line(second) == "handed_over"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes there have no modes")
def test_only_the_user_may_call(first: SingleInstance, path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_socket_of_a_killed_program_is_no_obstacle(path: Path, qtbot: QtBot) -> None:
    with start(path, "stay") as killed:
        assert first_line(killed) == "first"
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(20)
    assert path.exists(), "the socket file should still lie there"
    heir = SingleInstance(path)
    assert heir.claim([]) is Claim.FIRST
    heir.close()


def test_silent_first_is_left_alone(first: SingleInstance, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one cannot answer here: its event loop does not run while the second waits in the same thread."""
    monkeypatch.setattr(single_instance, "_ANSWER_MILLISECONDS", 100)
    assert SingleInstance(path).claim([]) is Claim.NO_ANSWER
    assert path.exists()


@pytest.mark.parametrize("message", [b"nonsense\n", b"[]\n", b'{"arguments": 3, "activation_token": ""}\n', b"x" * 70_000])
def test_strange_callers_are_hung_up_on(first: SingleInstance, path: Path, qtbot: QtBot, message: bytes) -> None:
    spy = QSignalSpy(first.called)
    socket = QLocalSocket()
    socket.connectToServer(first._name)
    assert socket.waitForConnected(5000)
    socket.write(message)
    qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState, timeout=5000)
    assert spy.count() == 0


def test_activation_token_is_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESKTOP_STARTUP_ID", raising=False)
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "abc")
    assert take_activation_token() == "abc"
    assert take_activation_token() == ""
