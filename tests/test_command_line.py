"""The command line: against a channel that answers, that is silent, that is not there. The real program is in a journey."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lynkr_desktop import command_line, headless
from lynkr_desktop.config.paths import channel_of, create_folders, paths

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there it is a pipe")


class Channel:
    """The running program's end. `answers` holds one line for each question; an empty one hangs up."""

    def __init__(self, path: str) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: list[bytes] = []
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(path)
        self._server.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                self.asked.append(json.loads(connection.makefile("rb").readline()))
                for piece in (self.answers[0][:5], self.answers.pop(0)[5:]):  # answers come in pieces
                    connection.sendall(piece)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LYNKR_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("LYNKR_TOKEN", raising=False)
    create_folders(paths({"LYNKR_DATA_DIR": str(tmp_path)}))
    return tmp_path


@pytest.fixture
def channel(home: Path) -> Iterator[Channel]:
    channel = Channel(channel_of(paths({"LYNKR_DATA_DIR": str(home)})))
    yield channel
    channel.close()


def line(**answer: Any) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def test_lines_are_for_people_and_the_value_for_programs(channel: Channel, capsys: pytest.CaptureFixture[str]) -> None:
    channel.answers = [line(value={"mode": "auto"}, lines=["Mode: Auto tiers"])] * 2
    assert command_line.main(["mode", "pin", "COMPLEX"]) == command_line.OK
    assert capsys.readouterr().out == "Mode: Auto tiers\n"
    assert channel.asked[0] == {"command": "mode", "arguments": ["pin", "COMPLEX"]}
    assert command_line.main(["mode", "--json"]) == command_line.OK
    assert json.loads(capsys.readouterr().out) == {"mode": "auto"}
    assert channel.asked[1] == {"command": "mode", "arguments": []}


def test_exit_codes_tell_what_went_wrong(channel: Channel, capsys: pytest.CaptureFixture[str]) -> None:
    channel.answers = [line(error="No model is set."), line(value=[], lines=["BAD"], is_well=False), b"", b"nonsense\n"]
    assert command_line.main(["mode", "direct"]) == command_line.REFUSED
    assert "No model is set." in capsys.readouterr().err
    assert command_line.main(["doctor"]) == command_line.REFUSED
    assert command_line.main(["status"]) == command_line.NO_ANSWER
    assert command_line.main(["status"]) == command_line.NO_ANSWER
    assert "does not answer" in capsys.readouterr().err


def test_not_running_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["status"]) == command_line.NOT_RUNNING
    said = capsys.readouterr()
    assert said.out == ""
    assert "does not run" in said.err


def test_wrong_words_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(["mode", "sideways"])
    assert ended.value.code == 2
    with pytest.raises(SystemExit) as ended:
        command_line.main(["status", "--help"])
    assert ended.value.code == 0
    assert "exit codes" in capsys.readouterr().out


def test_log_needs_no_running_program(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["logs"]) == command_line.OK
    assert "nothing was logged yet" in capsys.readouterr().err
    (home / "logs" / "lynkr-desktop.log").write_text("one\ntwo\nthree\n")
    assert command_line.main(["logs", "-n", "2"]) == command_line.OK
    assert capsys.readouterr().out == "two\nthree\n"
    assert command_line.main(["logs", "-n", "1", "--json"]) == command_line.OK
    assert json.loads(capsys.readouterr().out) == ["three"]


def test_token_comes_from_the_running_program_where_there_is_no_keychain(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    channel.answers = [line(value="lynkr-of-this-session", lines=[])]
    assert headless.print_token() == headless.OK
    assert capsys.readouterr().out == "lynkr-of-this-session\n"


def test_without_keychain_and_program_the_remedy_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    assert headless.print_token() == headless.BAD_CONFIG
    assert "Set LYNKR_TOKEN" in capsys.readouterr().err
