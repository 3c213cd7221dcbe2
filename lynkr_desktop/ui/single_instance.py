"""One Lynkr for each user: a second start hands its arguments to the first and ends; the command line asks. Knows no engine.

One line of JSON comes, one line goes back. `{"arguments", "activation_token"}` is a later start, answered with `ok`;
`{"command", "arguments"}` is a question of the command line, answered with an object.
"""

import contextlib
import enum
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from lynkr_desktop.config.paths import pipe_name

_log = logging.getLogger(__name__)

_ANSWER_MILLISECONDS: Final = 3000
_LARGEST_MESSAGE: Final = 64 * 1024
_READY: Final = b"ok\n"


class Claim(enum.Enum):
    """How a start ended."""

    FIRST = "first"  # nobody else runs: go on
    HANDED_OVER = "handed_over"  # the running one has our arguments: leave with status 0
    NO_ANSWER = "no_answer"  # one runs but does not answer: say so and leave with status 1


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line asks. `answer` takes a JSON object, once; an asker who has left is no error."""

    command: str
    arguments: tuple[str, ...]
    answer: Callable[[dict[str, Any]], None]


class SingleInstance(QObject):
    """The meeting place of all starts of one user.

    `path` is a socket file in the user's own runtime folder. Windows has no such files: there it is a pipe whose name is
    made from the user's name and the path. `called` carries the arguments and the activation token of a later start, `asked` a
    question of the command line.
    """

    called = Signal(list, str)
    asked = Signal(object)  # Question

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._name = pipe_name(path) if sys.platform == "win32" else str(path)
        self._server: QLocalServer | None = None

    def claim(self, arguments: Sequence[str], activation_token: str = "") -> Claim:
        """Be the first, or hand `arguments` to the one that is. Waits at most a few seconds.

        A socket file that a killed program left is removed, but only after a connection to it failed. The lock keeps two
        starts at the same moment from removing each other's socket; the system frees it when its owner dies.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = QLockFile(f"{self._path}.lock")
        is_locked = lock.tryLock(_ANSWER_MILLISECONDS)
        try:
            return self._hand_over(arguments, activation_token) or self._listen()
        finally:
            if is_locked:
                lock.unlock()

    def close(self) -> None:
        """Stop being the first."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _hand_over(self, arguments: Sequence[str], activation_token: str) -> Claim | None:
        """Reach the running one. None if there is none."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_ANSWER_MILLISECONDS):
            return None
        message = {"arguments": list(arguments), "activation_token": activation_token}
        socket.write(json.dumps(message).encode() + b"\n")
        answer = b""
        while answer != _READY:
            if not (socket.bytesAvailable() or socket.waitForReadyRead(_ANSWER_MILLISECONDS)):
                return Claim.NO_ANSWER
            answer += bytes(socket.readAll().data())
        socket.disconnectFromServer()
        return Claim.HANDED_OVER

    def _listen(self) -> Claim:
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self._name)
        if server.listen(self._name):
            server.newConnection.connect(self._welcome)
            self._server = server
        else:
            # Better two windows than none: the endpoint's port still tells the second one that it is taken.
            _log.warning("Later starts cannot find this one: %s (%s)", server.errorString(), self._name)
        return Claim.FIRST

    def _welcome(self) -> None:
        while self._server is not None and (socket := self._server.nextPendingConnection()) is not None:
            _Visitor(socket, self.called.emit, self.asked.emit, self)


class _Visitor(QObject):
    """One connection of a later start or of the command line: a line of JSON in, an answer out."""

    def __init__(
        self,
        socket: QLocalSocket,
        report: Callable[[list[str], str], None],
        ask: Callable[[Question], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._socket = socket
        self._report = report
        self._ask = ask
        self._received = b""
        socket.setParent(self)
        socket.readyRead.connect(self._read)
        socket.disconnected.connect(self.deleteLater)
        if socket.bytesAvailable():
            self._read()

    def _read(self) -> None:
        self._received += bytes(self._socket.readAll().data())
        if len(self._received) > _LARGEST_MESSAGE:
            self._socket.abort()
            return
        if not self._received.endswith(b"\n"):
            return
        line, self._received = self._received, b""
        if (question := _question_of(line)) is not None:
            self._ask(Question(*question, self._answer))
            return
        message = _message_of(line)
        if message is None:
            self._socket.abort()
            return
        self._write(_READY)
        self._report(*message)

    def _answer(self, answer: dict[str, Any]) -> None:
        self._write(json.dumps(answer).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the caller has left, and Qt has deleted the socket
            self._socket.write(line)
            self._socket.flush()


def _message_of(line: bytes) -> tuple[list[str], str] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    match message:
        case {"arguments": list(arguments), "activation_token": str(token)}:
            return [str(argument) for argument in arguments], token
        case _:
            return None


def _question_of(line: bytes) -> tuple[str, tuple[str, ...]] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    match message:
        case {"command": str(command), "arguments": list(arguments)}:
            return command, tuple(str(argument) for argument in arguments)
        case _:
            return None


def take_activation_token() -> str:
    """The desktop's permission to come to the front, given to this start; used once. Empty where there is none."""
    for name in ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID"):
        if token := os.environ.pop(name, ""):
            return token
    return ""
