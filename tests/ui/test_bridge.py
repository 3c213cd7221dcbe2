"""The bridge over the real engine in its own thread."""

import threading
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication

from lynkr_desktop.config.secrets import SessionSecrets
from lynkr_desktop.config.settings import (
    Account,
    AccountKey,
    Boundaries,
    Mode,
    ModeKind,
    Routing,
    Settings,
    Target,
    Tier,
    TierTargets,
)
from lynkr_desktop.engine.events import Exchange, FailedOver, RequestFinished
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui.bridge import Bridge
from tests.fakes.caller import Caller
from tests.fakes.upstream import OPENAI, Upstream
from tests.ui.engine_room import TOKEN, EngineRoom, opened
from tests.ui.ledger_desk import an_exchange

LAB = "lab"


def settings_of(upstream: Upstream) -> Settings:
    targets = [(Target(LAB, f"model-{tier.lower()}"),) for tier in Tier]
    account = Account(LAB, "openai-compatible", base_url=upstream.url, model="model-direct", keys=(AccountKey(upstream.url),))
    return Settings(accounts=(account,), routing=Routing(tiers=TierTargets(*targets), direct=Target(LAB, "model-direct")))


def pinned(settings: Settings, tier: Tier) -> Settings:
    return replace(settings, routing=replace(settings.routing, mode=Mode(ModeKind.PIN, tier)))


@pytest.fixture
def other_upstream() -> Iterator[Upstream]:
    """A server somewhere else. It takes whatever comes and remembers it."""
    server = Upstream(OPENAI, "").start()
    yield server
    server.stop()


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path, openai_upstream: Upstream) -> Iterator[EngineRoom]:
    with opened(qapp, tmp_path, settings_of(openai_upstream), {LAB: openai_upstream.key}) as room:
        yield room


def served_by(room: EngineRoom, upstream: Upstream) -> str:
    """The model that a request really goes to."""
    body = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}
    reply = Caller(room.engine.url, TOKEN).post("/v1/chat/completions", body)
    assert reply.status == 200, reply.body
    return str(upstream.chats[-1].json["model"])


def test_a_request_reaches_the_window(room: EngineRoom, openai_upstream: Upstream) -> None:
    finished: list[Exchange] = []
    threads: list[threading.Thread] = []
    room.bridge.signals.exchange_finished.connect(finished.extend)
    room.bridge.signals.exchange_finished.connect(lambda _: threads.append(threading.current_thread()))
    assert served_by(room, openai_upstream) == "model-simple"
    room.until(lambda: finished and room.bridge.snapshot().last, "the exchange in the window")
    assert room.bridge.snapshot().last == finished[0]
    assert room.bridge.snapshot().requests_today == 1
    assert set(threads) == {threading.main_thread()}


def test_many_events_come_as_few_lists(room: EngineRoom) -> None:
    spy = QSignalSpy(room.bridge.signals.exchange_finished)
    snapshots = QSignalSpy(room.bridge.signals.snapshot_changed)
    failovers = QSignalSpy(room.bridge.failed_over)
    exchanges = [an_exchange(number) for number in range(500)]

    async def publish() -> None:
        for exchange in exchanges:
            room.engine._bus.publish(RequestFinished(exchange))
            room.engine._bus.publish(FailedOver(exchange.id, "a:x", "b:y", "rate"))

    async def burst() -> None:
        await room.host.run(publish())

    room.run(burst())
    room.until(lambda: sum(len(spy.at(index)[0]) for index in range(spy.count())) == 500, "all exchanges")
    assert [one for index in range(spy.count()) for one in spy.at(index)[0]] == exchanges
    assert spy.count() <= 5
    assert failovers.count() <= 5
    assert snapshots.count() <= 5


def test_change_is_saved_and_used_and_taken_back(room: EngineRoom, openai_upstream: Upstream) -> None:
    before = room.bridge.settings
    assert not room.bridge.can_undo
    room.run(room.bridge.change(pinned(before, Tier.COMPLEX)))
    assert room.saved == [pinned(before, Tier.COMPLEX)]
    assert served_by(room, openai_upstream) == "model-complex"
    room.run(room.bridge.undo())
    assert room.bridge.settings == before
    assert room.saved[-1] == before
    assert served_by(room, openai_upstream) == "model-simple"
    assert not room.bridge.can_undo


def test_what_is_not_valid_changes_nothing(room: EngineRoom) -> None:
    before = room.bridge.settings
    wrong = replace(before, routing=replace(before.routing, boundaries=Boundaries(50, 50, 75)))
    with pytest.raises(ConfigError, match="out of order"):
        room.run(room.bridge.change(wrong))
    assert room.saved == []
    assert room.bridge.settings == before
    assert not room.bridge.can_undo


def test_what_cannot_be_saved_is_not_used(room: EngineRoom, openai_upstream: Upstream) -> None:
    before = room.bridge.settings
    room.refuses = ConfigError("The disk is full.", "Free some space.")
    with pytest.raises(ConfigError, match="disk is full"):
        room.run(room.bridge.change(pinned(before, Tier.COMPLEX)))
    assert room.bridge.settings == before
    assert served_by(room, openai_upstream) == "model-simple"


def test_what_the_engine_refuses_does_not_stay_in_the_file(room: EngineRoom) -> None:
    before = room.bridge.settings

    async def refuse(coroutine: Coroutine[Any, Any, Any]) -> Any:
        coroutine.close()
        raise ConfigError("The engine refuses.")

    bridge = Bridge(room.engine, refuse, before, room._save, room.secrets, parent=room.bridge)
    with pytest.raises(ConfigError, match="engine refuses"):
        room.run(bridge.change(pinned(before, Tier.COMPLEX)))
    assert room.saved[-1] == before
    assert bridge.settings == before
    bridge.close()


def test_settings_of_a_newer_program_stay_as_they_are(room: EngineRoom) -> None:
    bridge = Bridge(
        room.engine, room.host.run, room.bridge.settings, room._save, SessionSecrets(), is_read_only=True, parent=room.bridge
    )
    with pytest.raises(ConfigError, match="cannot be changed here"):
        room.run(bridge.change(pinned(bridge.settings, Tier.COMPLEX)))
    assert room.saved == []
    bridge.close()


def test_key_is_used_and_only_its_end_is_told(room: EngineRoom, openai_upstream: Upstream) -> None:
    assert room.bridge.key_hint(LAB) == f"…{openai_upstream.key[-4:]}"
    room.run(room.bridge.set_key(LAB, f"  {openai_upstream.key}\n"))
    assert room.run(room.bridge.probe(LAB)).is_ok
    room.run(room.bridge.set_key("short", "abcdef"))
    assert room.bridge.key_hint("short") == "…", "half of a short key would be told"
    assert room.bridge.key_hint("nobody") == ""


def test_removed_key_comes_back_with_its_account(room: EngineRoom) -> None:
    room.run(room.bridge.change(replace(room.bridge.settings, accounts=())))
    room.run(room.bridge.delete_key(LAB))
    assert room.run(room.secrets.get(LAB)) is None
    assert room.bridge.key_hint(LAB) == ""
    room.run(room.bridge.undo())
    assert room.run(room.bridge.probe(LAB)).is_ok


def test_kept_key_never_goes_to_another_address(room: EngineRoom, openai_upstream: Upstream, other_upstream: Upstream) -> None:
    account = room.bridge.settings.accounts[0]
    same = room.run(room.bridge.probe_candidate(replace(account, model="other"), ""))
    assert same.is_ok, same.text
    room.run(room.bridge.probe_candidate(replace(account, base_url=other_upstream.url), ""))
    assert other_upstream.chats
    assert all("authorization" not in one.headers for one in other_upstream.received)


def test_failure_of_a_task_is_told(room: EngineRoom) -> None:
    spy = QSignalSpy(room.bridge.signals.trouble)

    async def fail() -> None:
        raise ConfigError("This went wrong.", "Do that.")

    room.do(lambda: room.bridge.spawn(fail(), "a task"))
    room.until(spy.count, "the trouble")
    assert msgspec.structs.asdict(spy.at(0)[0])["title"] == "This went wrong."
