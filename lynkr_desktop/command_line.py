"""Ask the running desktop program from a terminal: over its private channel, without Qt. Changes nothing by itself."""

import argparse
import json
import os
import socket
import sys
from collections import deque
from pathlib import Path
from typing import Any, Final

from lynkr_desktop.config.paths import Paths, channel_of, paths
from lynkr_desktop.errors import ConfigError

OK: Final = 0
REFUSED: Final = 1
NOT_RUNNING: Final = 3
NO_ANSWER: Final = 4
COMMANDS: Final = ("status", "mode", "pin", "unpin", "usage", "tiers", "providers", "clients", "reset", "logs", "doctor")
_MODES: Final = ("auto", "pin", "direct", "observe", "local")
_ANSWER_SECONDS: Final = 15.0
_DOCTOR_SECONDS: Final = 180.0
_LARGEST_ANSWER: Final = 4 * 1024 * 1024
EXIT_CODES: Final = (
    "exit codes: 0 all is well; 1 refused, or doctor found something; 2 the command line is wrong; "
    "3 Lynkr Desktop does not run; 4 it does not answer"
)


class NotRunningError(Exception):
    """Nobody listens on the channel."""


class NoAnswerError(Exception):
    """Somebody listens and does not answer."""


def main(arguments: list[str]) -> int:
    """Ask, print, and say how it went. Returns the exit code."""
    options = _parser().parse_args(arguments)
    places = paths(os.environ)
    if options.command == "logs":
        return _print_log(places.log_dir / "lynkr-desktop.log", options.lines, is_json=options.json)
    asked = _arguments(options)
    seconds = _DOCTOR_SECONDS if options.command == "doctor" else _ANSWER_SECONDS
    try:
        answer = ask(places, options.command, asked, seconds)
    except NotRunningError:
        print("lynkr-desktop: Lynkr Desktop does not run. Start it, or use --headless without a window.", file=sys.stderr)
        return NOT_RUNNING
    except NoAnswerError:
        print("lynkr-desktop: Lynkr Desktop runs, but does not answer. End it and start it again.", file=sys.stderr)
        return NO_ANSWER
    return _print(answer, is_json=options.json)


def _arguments(options: argparse.Namespace) -> list[str]:
    match options.command:
        case "mode":
            return [options.mode, *options.tier] if options.mode else []
        case "pin":
            return [options.scope, options.goal or "", options.time] if options.scope else []
        case "unpin":
            return list(options.scope)
        case "clients":
            return [options.action, *options.name] if options.action else []
        case "reset":
            return [options.account] if options.account else []
        case _:
            return []


def ask(places: Paths, command: str, arguments: list[str], seconds: float = _ANSWER_SECONDS) -> dict[str, Any]:
    """One question and its answer. Raises `NotRunningError` or `NoAnswerError`."""
    line = json.dumps({"command": command, "arguments": arguments}).encode() + b"\n"
    received = _through_pipe(channel_of(places), line) if sys.platform == "win32" else _through_socket(places, line, seconds)
    try:
        answer = json.loads(received)
    except ValueError:
        raise NoAnswerError from None
    if not isinstance(answer, dict):
        raise NoAnswerError
    return answer


def token_of_running_program() -> str:
    """The endpoint token of the program that runs. Raises `ConfigError`."""
    try:
        answer = ask(paths(os.environ), "token", [])
    except (NotRunningError, NoAnswerError):
        raise ConfigError(
            "There is no endpoint token.", "Start Lynkr Desktop, or set LYNKR_TOKEN to a token of your choice."
        ) from None
    token = answer.get("value")
    if not isinstance(token, str) or not token:
        raise ConfigError("The running Lynkr Desktop has no token yet.", "It waits for your keychain.")
    return token


def _through_socket(places: Paths, line: bytes, seconds: float) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(channel_of(places))
        except OSError:
            raise NotRunningError from None
        received = b""
        try:
            connection.sendall(line)
            while not received.endswith(b"\n") and len(received) < _LARGEST_ANSWER and (part := connection.recv(65536)):
                received += part
        except OSError:
            raise NoAnswerError from None
    return received


def _through_pipe(name: str, line: bytes) -> bytes:
    """The way on Windows. A pipe knows no time limit."""
    received, is_open = b"", False
    try:
        with Path(rf"\\.\pipe\{name}").open("r+b", buffering=0) as pipe:
            is_open = True
            pipe.write(line)
            while not received.endswith(b"\n") and len(received) < _LARGEST_ANSWER and (part := pipe.read(65536)):
                received += part
    except OSError:
        raise (NoAnswerError if is_open else NotRunningError) from None
    return received


def _print(answer: dict[str, Any], *, is_json: bool) -> int:
    error = answer.get("error")
    if error:
        print(f"lynkr-desktop: {error}", file=sys.stderr)
        return REFUSED
    if is_json:
        print(json.dumps(answer.get("value"), indent=2, ensure_ascii=False))
    else:
        print("\n".join(str(line) for line in answer.get("lines", ())))
    return OK if answer.get("is_well", True) else REFUSED


def _print_log(file: Path, number: int, *, is_json: bool) -> int:
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            lines = deque(stream, maxlen=number)
    except FileNotFoundError:
        print(f"lynkr-desktop: nothing was logged yet ({file}).", file=sys.stderr)
        return OK
    except OSError as error:
        print(f"lynkr-desktop: {file} cannot be read: {error.strerror}.", file=sys.stderr)
        return REFUSED
    print(
        json.dumps([line.rstrip("\n") for line in lines], indent=2, ensure_ascii=False)
        if is_json
        else "".join(lines).rstrip("\n")
    )
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lynkr-desktop", description="Ask the Lynkr Desktop that runs, or change its mode.", epilog=EXIT_CODES
    )
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "status": "whether it serves, where, in which mode, and today's sums",
        "mode": "show the mode, or change it",
        "pin": "show what is pinned, or pin a session, project, program or all requests to a tier or a model",
        "unpin": "take pins away; all of them if none is named",
        "usage": "what today's requests used and cost",
        "tiers": "the tiers, their scores and their targets",
        "providers": "the providers and how they do",
        "clients": "the programs that have a token of their own; give one a token, or revoke it",
        "reset": "try models again at once that were left alone for their failures",
        "logs": "the last lines of the log",
        "doctor": "test everything, with a real call to each provider",
    }
    for name in COMMANDS:
        command = commands.add_parser(name, help=helps[name], description=f"{helps[name].capitalize()}.", epilog=EXIT_CODES)
        if name == "logs":
            command.add_argument("-n", "--lines", type=_positive, default=50, metavar="N", help="how many lines (50)")
        command.add_argument("--json", action="store_true", help="print JSON, for programs")
        if name == "mode":
            command.add_argument("mode", nargs="?", choices=_MODES, help="the mode to use from now on")
            command.add_argument("tier", nargs="*", help="the tier of pin: SIMPLE, MEDIUM, COMPLEX or REASONING")
        if name == "pin":
            command.add_argument("scope", nargs="?", help="all, client:ID, project:NAME or session:ID")
            command.add_argument("goal", nargs="?", help="SIMPLE, MEDIUM, COMPLEX, REASONING, or account:model")
            command.add_argument("--for", dest="time", default="", metavar="TIME", help="how long: 30m, 2h, 1d (for good)")
        if name == "unpin":
            command.add_argument("scope", nargs="*", help="as shown by pin")
        if name == "clients":
            command.add_argument("action", nargs="?", choices=("add", "revoke"), help="make a token, shown once; or revoke it")
            command.add_argument("name", nargs="*", help="the program, in lower case: codex, build-server")
        if name == "reset":
            command.add_argument("account", nargs="?", help="a provider's name; all of them without one")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
