"""What the running program answers the command line, over the real engine."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.secrets import TOKEN_REF
from lynkr_desktop.config.settings import Account, AccountKey, Mode, ModeKind, Routing, Settings, Target, Tier, TierTargets
from lynkr_desktop.ui.answers import answer
from lynkr_desktop.ui.single_instance import Claim, Question, SingleInstance
from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT
from tests.fakes.script import Refuse, say
from tests.fakes.upstream import OPENAI, Upstream
from tests.ui.engine_room import TOKEN, EngineRoom, opened
from tests.ui.surroundings import around, premises

LAB = "openai-compatible"


class Room:
    """The engine, and what the command line would ask of it."""

    def __init__(self, engine: EngineRoom, folder: Path) -> None:
        self.engine = engine
        self.premises = premises(around(folder), engine.secrets, engine.engine, engine.host.run)
        engine.run(self.premises.unlock())
        engine.until(lambda: engine.bridge.snapshot().is_serving, "the endpoint")

    def ask(self, command: str, *arguments: str) -> dict[str, Any]:
        return self.engine.run(answer(self.engine.bridge, self.premises, command, arguments))


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream(OPENAI, "").start()
    yield server
    server.stop()


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path, upstream: Upstream) -> Iterator[Room]:
    target = Target(LAB, "m-1")
    settings = Settings(
        accounts=(Account(LAB, LAB, base_url=upstream.url, model="m-1"),),
        routing=Routing(mode=Mode(ModeKind.DIRECT), direct=target, tiers=TierTargets(complex=(target,))),
    )
    with opened(qapp, tmp_path, settings, {TOKEN_REF: TOKEN}) as engine:
        yield Room(engine, tmp_path / "lynkr")


def test_programs_get_tokens_and_lose_them(room: Room, upstream: Upstream) -> None:
    token = room.ask("clients", "add", "build-server")["value"]["token"]
    caller = Caller(room.engine.engine.url, token)
    assert caller.get("/v1/models").status == 200
    assert token not in str(room.ask("clients"))
    assert room.ask("clients")["value"][0]["name"] == "build-server"
    assert "opens nothing" in room.ask("clients", "revoke", "build-server")["lines"][0]
    assert caller.get("/v1/models").status == 401
    for wrong in (("add",), ("add", "Not A Name"), ("revoke", "nobody"), ("sing", "x")):
        assert room.ask("clients", *wrong)["error"]
    assert room.ask("clients")["value"] == []


def test_targets_left_alone_are_tried_again(room: Room) -> None:
    for _ in range(20):
        room.engine.engine._attempts.breakers.failed(Target(LAB, "m-1"), time.monotonic())
    assert room.ask("reset", LAB)["value"] == {"reset": 1}
    assert room.ask("reset")["value"] == {"reset": 0}
    assert "no provider named nobody" in room.ask("reset", "nobody")["error"]


def test_status_and_usage(room: Room, upstream: Upstream) -> None:
    status = room.ask("status")
    assert status["value"]["is_serving"] is True
    assert status["value"]["url"] == room.engine.engine.url
    assert status["value"]["mode"] == {"kind": "direct", "tier": None}
    assert status["lines"][1:] == ["Mode: Direct", "No request today."]
    upstream.play(say("hello"))
    body = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}
    assert Caller(room.engine.engine.url, TOKEN).post("/v1/chat/completions", body).status == 200
    room.engine.until(lambda: room.engine.bridge.snapshot().requests_today, "the request")
    assert room.ask("usage")["value"]["requests_today"] == 1
    assert room.ask("usage")["lines"][0].startswith("Today: 1 request, 0 failed, 1 unpriced")


def test_mode_is_changed_and_saved_like_in_the_window(room: Room) -> None:
    assert room.ask("mode", "pin", "complex")["value"] == {"kind": "pin", "tier": "COMPLEX"}
    assert room.engine.saved[-1].routing.mode == Mode(ModeKind.PIN, Tier.COMPLEX)
    assert room.ask("mode")["lines"] == ["Mode: Pin COMPLEX"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("auto",), "no model is set"),
        (("pin", "SIMPLE"), "no model is set"),
        (("pin",), "Name a tier"),
        (("pin", "HUGE"), "Name a tier"),
        (("auto", "SIMPLE"), "There is no such mode"),
        (("sideways",), "There is no such mode"),
        (("local",), "no model is set"),
    ],
)
def test_modes_that_cannot_serve_are_refused(room: Room, words: tuple[str, ...], why: str) -> None:
    assert why in room.ask("mode", *words)["error"]
    assert room.engine.saved == []


def test_every_mode_serves_the_next_request(room: Room, upstream: Upstream) -> None:
    """Each way to say it; the ledger knows under which mode it came."""
    upstream.always = say("hello")
    caller = Caller(room.engine.engine.url, TOKEN)
    body = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}
    for words, method in ((("pin", "complex"), "pin"), (("observe",), "observe"), (("direct",), "direct")):
        assert room.ask("mode", *words)["value"]["kind"] == words[0]
        assert caller.post("/v1/chat/completions", body).headers["x-lynkr-routing-method"] == method


def test_pins(room: Room, upstream: Upstream) -> None:
    """Pinned in the terminal, used by the next request, listed, taken away."""
    upstream.always = say("hello")
    caller = Caller(room.engine.engine.url, TOKEN)
    body = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}
    assert room.ask("pin")["lines"] == ["Nothing is pinned."]
    found = room.ask("pin", "project:web", "complex", "30m")
    assert found["value"][0]["tier"] == "COMPLEX"
    assert 29 * 60_000 < found["value"][0]["until_ms"] - time.time() * 1000 < 31 * 60_000
    assert found["lines"][0].split()[:2] == ["project:web", "COMPLEX"]
    assert room.engine.saved[-1].pins[0].scope == "project:web"
    assert caller.post("/p/web/v1/chat/completions", body).headers["x-lynkr-routing-method"] == "pin"
    assert caller.post("/v1/chat/completions", body).headers["x-lynkr-routing-method"] == "direct"
    room.ask("pin", "session:s-1", f"{LAB}:m-1")
    room.ask("pin", "session:s-1", f"{LAB}:m-2")
    assert room.ask("pin")["value"][-1] == {"scope": "session:s-1", "tier": None, "target": f"{LAB}:m-2", "until_ms": None}
    assert room.ask("unpin", "project:web")["lines"][0].split()[0] == "session:s-1"
    assert caller.post("/p/web/v1/chat/completions", body).headers["x-lynkr-routing-method"] == "direct"
    assert room.ask("unpin")["value"] == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("everything", "COMPLEX"), "Name what to pin"),
        (("all", "HUGE"), "Name what to pin it to"),
        (("all", "SIMPLE"), "Nothing is set up for SIMPLE"),
        (("all", "nobody:m"), "Nothing is set up for nobody:m"),
        (("all", "COMPLEX", "soon"), "Name a time"),
    ],
)
def test_pins_that_mean_nothing_are_refused(room: Room, words: tuple[str, ...], why: str) -> None:
    assert why in room.ask("pin", *words)["error"]
    assert room.engine.saved == []
    assert "is not pinned" in room.ask("unpin", "all")["error"]


def test_tiers_and_providers(room: Room) -> None:
    tiers = room.ask("tiers")
    assert tiers["value"]["COMPLEX"] == {"scores": [51, 75], "targets": [f"{LAB}:m-1"]}
    assert tiers["lines"][2].split() == ["COMPLEX", "51–75", f"{LAB}:m-1"]
    providers = room.ask("providers")
    assert providers["value"][0]["id"] == LAB
    assert LAB in providers["lines"][0]


def test_doctor_makes_real_calls(room: Room, upstream: Upstream) -> None:
    upstream.play(say("hello"))
    found = room.ask("doctor")
    assert found["is_well"] is True
    assert all(line.startswith("ok") for line in found["lines"])
    upstream.expects_complaints = True
    upstream.play(Refuse(401, "bad key"))
    found = room.ask("doctor")
    assert found["is_well"] is False
    assert any(line.startswith("BAD") and "bad key" in line for line in found["lines"])


def test_each_of_several_keys_is_listed_and_tested(qapp: QApplication, tmp_path: Path, openai_upstream: Upstream) -> None:
    openai_upstream.expects_complaints = True
    keys = (AccountKey(openai_upstream.url), AccountKey(openai_upstream.url, "2", "team"))
    account = Account("openai", "openai", base_url=openai_upstream.url, model="gpt-5-mini", keys=keys)
    settings = Settings(accounts=(account,), routing=Routing(mode=Mode(ModeKind.DIRECT), direct=Target("openai", "gpt-5-mini")))
    secrets = {TOKEN_REF: TOKEN, "openai": "not-this-one-0123456789", "openai:2": openai_upstream.key}
    with opened(qapp, tmp_path, settings, secrets) as engine:
        room = Room(engine, tmp_path / "lynkr")
        found = {each["name"]: each for each in room.ask("doctor")["value"]}
        assert (found["openai, key 1"]["is_well"], found["openai, team"]["is_well"]) == (False, True)
        assert "Incorrect API key provided" in found["openai, key 1"]["words"]
        assert Caller(engine.engine.url, TOKEN).post(CHAT.path, CHAT.ask("hi")).status == 200
        engine.until(lambda: engine.bridge.snapshot().accounts[0].keys[1].requests, "the snapshot")
        listed = room.ask("providers")
        assert [each["state"] for each in listed["value"][0]["keys"]] == ["resting", "healthy"]
        assert (
            listed["lines"][1].startswith("  Key 1 · not used for 10 min 0 s")
            or "Key 1 · not used for 9 min" in listed["lines"][1]
        )
        assert listed["lines"][2] == "  team · healthy · 1 request, 0 failed"
        assert not any(secret in str(listed) for secret in secrets.values())


def test_token_and_what_is_unknown(room: Room) -> None:
    assert room.ask("token")["value"] == TOKEN
    assert "older" in room.ask("dance")["error"]


def test_a_question_comes_through_the_channel_and_its_answer_goes_back(tmp_path: Path, qtbot: QtBot) -> None:
    first = SingleInstance(tmp_path / "lynkr.sock")
    assert first.claim([]) is Claim.FIRST
    questions: list[Question] = []
    first.asked.connect(questions.append)
    socket = QLocalSocket()
    socket.connectToServer(first._name)
    assert socket.waitForConnected(5000)
    socket.write(b'{"command": "mode", "arguments": ["auto"]}\n')
    qtbot.waitUntil(lambda: len(questions) == 1)
    assert (questions[0].command, questions[0].arguments) == ("mode", ("auto",))
    questions[0].answer({"lines": ["done"]})
    qtbot.waitUntil(lambda: socket.bytesAvailable() > 0)
    assert bytes(socket.readAll().data()) == b'{"lines": ["done"]}\n'
    socket.write(b'{"command": "mode", "arguments": []}\n')
    qtbot.waitUntil(lambda: len(questions) == 2)
    socket.abort()
    qtbot.waitUntil(lambda: first.children() == [] or len(first.children()) == 1)
    questions[1].answer({"lines": ["too late"]})
    first.close()
