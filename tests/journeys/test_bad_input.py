"""A machine that is not as it should be: a plain sentence with place and remedy each time, and service where it is possible."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.caller import PATIENCE, Caller
from tests.fakes.dialects import CHAT, DIALECTS, Dialect
from tests.fakes.lab import account
from tests.fakes.program import Program, canary, free_port
from tests.fakes.upstream import Upstream
from tests.rig.desk import until

pytestmark = pytest.mark.journey
Start = Callable[..., Program]
KEYS = {"OPENAI_API_KEY": "canary-key-that-is-long-enough", "MODEL_PROVIDER": "openai"}


def _refuses_to_start(home: Path, **env: str) -> str:
    """Start it where it cannot run; what it says. It must end by itself with the code for a bad configuration."""
    home.mkdir()
    program = Program(home, env)
    assert program.wait() == 2, program.stderr
    assert program.stdout == ""
    assert "Traceback" not in program.stderr
    return program.stderr


def test_a_taken_port(headless: Start, openai_upstream: Upstream) -> None:
    """It says who has it, and serves on the next one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        program = headless(MODEL_PROVIDER="openai", PORT=str(port), **account(openai_upstream))
        assert port < program.port < port + 10
        until(lambda: f"pid {os.getpid()}" in program.stderr, "the note about the port")
        assert f"Port {port} is used by" in program.stderr
        assert Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi")).status == 200


def test_two_instances(headless: Start, openai_upstream: Upstream) -> None:
    """Two programs with one data folder and one port: both serve, each on its own port, and the ledger takes from both."""
    first = headless(MODEL_PROVIDER="openai", **account(openai_upstream))
    same = {name: first.env[name] for name in ("PORT", "LYNKR_DATA_DIR", "LYNKR_TOKEN")}
    second = headless(MODEL_PROVIDER="openai", **same, **account(openai_upstream))
    assert second.port != first.port
    until(lambda: f"pid {first.process.pid}" in second.stderr, "the note about the port")
    for program in (first, second, first):
        assert Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi")).status == 200
    assert (first.stop(), second.stop()) == (0, 0)
    assert "ledger" not in first.stderr + second.stderr


def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """It names the folder and the remedy."""
    file = tmp_path / "a-file"
    file.write_text("")
    said = _refuses_to_start(tmp_path / "home", LYNKR_DATA_DIR=str(file / "data"), **KEYS)
    assert str(file) in said
    assert "LYNKR_DATA_DIR" in said
    assert KEYS["OPENAI_API_KEY"] not in said


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on file sizes is POSIX's")
@pytest.mark.parametrize("blocks", [0, 160])
def test_a_full_disk(headless: Start, openai_upstream: Upstream, blocks: int) -> None:
    """The ledger cannot write, at once or after a while: requests are served all the same, and it is said aloud."""
    limited = ("sh", "-c", f'ulimit -f {blocks} && exec "$@"', "sh")
    program = headless(prefix=limited, MODEL_PROVIDER="openai", **account(openai_upstream))
    caller = Caller(program.url, program.token)
    deadline = time.monotonic() + PATIENCE
    while (ledger := caller.get("/health/ready").json["checks"]["ledger"]) == "ok" and time.monotonic() < deadline:
        assert caller.post(CHAT.path, CHAT.ask("hi")).status == 200
    assert "cannot be written" in ledger
    assert program.stop() == 0
    assert "ledger" in program.stderr


BROKEN: dict[str, tuple[bytes, str]] = {
    "not-json": (b'{"version": 1,,}', "line 1"),
    "empty": (b"", "JSON"),
    "wrong-type": (b'{"version": 1, "endpoint": {"port": "many"}}', "endpoint.port"),
    "out-of-range": (b'{"version": 1, "endpoint": {"port": 99999}}', "endpoint.port"),
    "binary": (b"\x00\xff\xfe\x01", "UTF-8"),
    "array": (b"[]", "JSON object"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_settings_file(headless: Start, openai_upstream: Upstream, tmp_path: Path, name: str) -> None:
    """It says where and why, keeps the file aside byte for byte, and serves with what the environment gives."""
    content, words = BROKEN[name]
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "settings.json").write_bytes(content)
    program = headless(MODEL_PROVIDER="openai", LYNKR_DATA_DIR=str(folder), **account(openai_upstream))
    assert words in program.stderr
    assert str(folder / "settings.json") in program.stderr
    assert [path.read_bytes() for path in folder.glob("settings.broken-*.json")] == [content]
    assert Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi")).status == 200


def test_a_newer_settings_file(headless: Start, openai_upstream: Upstream, tmp_path: Path) -> None:
    """It is used as far as it is known, and never written."""
    folder = tmp_path / "data"
    folder.mkdir()
    port = free_port()
    content = json.dumps({"version": 999, "endpoint": {"port": port}, "of_tomorrow": {"x": 1}}).encode()
    (folder / "settings.json").write_bytes(content)
    program = headless(MODEL_PROVIDER="openai", PORT="", LYNKR_DATA_DIR=str(folder), **account(openai_upstream))
    assert program.port == port
    assert "newer" in program.stderr
    assert program.stop() == 0
    assert (folder / "settings.json").read_bytes() == content


WRONG_VARIABLES: dict[str, tuple[dict[str, str], str]] = {
    "unknown-provider": ({"MODEL_PROVIDER": "nobody"}, "nobody"),
    "port": ({"PORT": "eighty"}, "PORT"),
    "port-too-high": ({"PORT": "70000"}, "PORT"),
    "address": ({"OPENAI_API_BASE": "not an address"}, "OPENAI_API_BASE"),
    "key-with-space": ({"OPENAI_API_KEY": "canary key"}, "OPENAI_API_KEY"),
    "token-with-space": ({"LYNKR_TOKEN": "canary token"}, "LYNKR_TOKEN"),
    "switch": ({"FALLBACK_ENABLED": "perhaps"}, "FALLBACK_ENABLED"),
}


@pytest.mark.parametrize("name", WRONG_VARIABLES)
def test_a_wrong_variable(tmp_path: Path, name: str) -> None:
    """It names the variable, shows no secret, and does not start with something else instead."""
    env, words = WRONG_VARIABLES[name]
    said = _refuses_to_start(tmp_path / "home", **(KEYS | env))
    assert words in said
    assert "canary" not in said


def test_an_env_file_that_is_none(tmp_path: Path) -> None:
    """It names the file and the line."""
    file = tmp_path / "lynkr.env"
    file.write_text("MODEL_PROVIDER=openai\nthis is not an assignment\n", encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    program = Program(home, KEYS, arguments=("--env-file", str(file)))
    assert program.wait() == 2
    assert str(file) in program.stderr
    assert "ine 2" in program.stderr


def test_no_token_and_no_keychain(tmp_path: Path) -> None:
    """Without a place for the endpoint's token it does not serve to everybody; it says what to set."""
    said = _refuses_to_start(tmp_path / "home", LYNKR_TOKEN="", DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent", **KEYS)
    assert "LYNKR_TOKEN" in said


@pytest.mark.parametrize("dialect", DIALECTS, ids=["messages", "chat"])
def test_a_provider_without_its_key(headless: Start, dialect: Dialect) -> None:
    """It starts, says that the key is missing, and so does each request, in the client's dialect."""
    program = headless(MODEL_PROVIDER="openai")
    assert "OPENAI_API_KEY" in program.stderr
    reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hi"))
    assert reply.status >= 400
    assert "key" in dialect.error_of(reply.json)


def test_nothing_is_where_the_provider_should_be(headless: Start) -> None:
    """The address is named, so that the user can see what is wrong with it."""
    base = f"http://127.0.0.1:{free_port()}"
    program = headless(MODEL_PROVIDER="openai", OPENAI_API_KEY=canary("key"), OPENAI_API_BASE=base)
    for dialect in DIALECTS:
        reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hi", is_streamed=True))
        assert reply.status == 502
        assert base in dialect.error_of(reply.json)
    deep = Caller(program.url, program.token).get("/health/ready?deep=true")
    assert deep.status == 503
    assert deep.json["checks"]["account openai"] != "ok"
