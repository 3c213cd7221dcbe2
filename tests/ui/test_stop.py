"""Quit while an answer is on its way, with the engine in its own thread and on the window's loop: the client is told."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
import qasync
from PySide6.QtWidgets import QApplication

from lynkr_desktop.config.environment import origin
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, AccountKey, Endpoint, Limits, Mode, ModeKind, Routing, Settings, Target
from lynkr_desktop.engine.service import EngineService
from lynkr_desktop.hosts import Host, OwnThread, SameLoop
from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT
from tests.fakes.program import free_port
from tests.fakes.script import Delivery, Ending, say
from tests.fakes.upstream import Upstream

TOKEN = "endpoint-token-of-this-test"


def read_on(url: str, has_begun: asyncio.Event, loop: asyncio.AbstractEventLoop) -> bytes:
    """A client in a thread of its own."""
    with Caller(url, TOKEN).stream(CHAT.path, CHAT.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"first")
        loop.call_soon_threadsafe(has_begun.set)
        return stream.rest()


@pytest.mark.parametrize("is_own_thread", [True, False], ids=["thread", "window"])
def test_quit_tells_the_client(qapp: QApplication, tmp_path: Path, openai_upstream: Upstream, is_own_thread: bool) -> None:
    openai_upstream.play(say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second")))
    url = openai_upstream.url
    settings = Settings(
        endpoint=Endpoint(port=free_port()),
        accounts=(Account("openai", "openai", base_url=url, model="gpt-4o-mini", keys=(AccountKey(origin(url)),)),),
        routing=Routing(mode=Mode(ModeKind.DIRECT), direct=Target("openai", "gpt-4o-mini")),
    )
    settings = replace(settings, limits=Limits(stop_seconds=0.05))
    engine = EngineService(settings, {"openai": Secret(openai_upstream.key)}, Secret(TOKEN), tmp_path / "ledger.db")
    host: Host = OwnThread(engine, None) if is_own_thread else SameLoop(engine)

    async def live() -> bytes:
        await host.start()
        has_begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(None, read_on, engine.url, has_begun, loop)
        await has_begun.wait()
        await host.stop()
        return await reading

    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    try:
        body = loop.run_until_complete(asyncio.wait_for(live(), 30))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    last = [line for line in body.decode().splitlines() if line.startswith("data: {")][-1]
    assert "stopping" in CHAT.error_of(json.loads(last.removeprefix("data:")))
