"""An account that serves only so many requests at once: the others wait for their turn, in order, and not for ever."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from lynkr_desktop.config.environment import apply_environment
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, Limits, Settings, Target
from lynkr_desktop.engine.answer import Answer, fetch
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.prepare import prepare
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.upstream import Upstream as Door
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import BusyError, ConfigError, FailureKind, UpstreamError
from lynkr_desktop.startup import known_names
from tests.fakes.dialects import MESSAGES
from tests.fakes.program import canary
from tests.fakes.script import Delivery, Ending, Refuse, say
from tests.fakes.upstream import ANTHROPIC, Upstream

HELD = say("one two three four", pieces=4, delivery=Delivery(ending=Ending.HOLD, cut_after=4))


@pytest.fixture
def server() -> Iterator[Upstream]:
    upstream = Upstream(ANTHROPIC, canary("zai")).start()
    yield upstream
    upstream.stop()
    assert upstream.complaints == []


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    upstream = Door()
    upstream.open()
    yield upstream
    await upstream.close()


async def begun(door: Door, server: Upstream, *, most: int = 0, seconds: float = 20) -> Answer:
    request = WIRES["anthropic"].parse_request(json.dumps(MESSAGES.ask("hi", is_streamed=True)).encode())
    access = Access(Account("z", "zai", most_at_once=most), PROVIDERS["zai"], server.url, Secret(server.key))
    inbound = Inbound("anthropic", "", {}, request.body, "", "")
    limits = Limits(first_byte_seconds=seconds)
    return await fetch(door, prepare(request, (Target("z", "glm-x"), None), access, inbound, limits))


async def test_the_third_request_waits_for_a_place(door: Door, server: Upstream) -> None:
    server.play(HELD, HELD)
    first, second = await begun(door, server), await begun(door, server)
    third = asyncio.ensure_future(begun(door, server))
    done, _ = await asyncio.wait([third], timeout=0.2)
    assert not done
    assert len(server.chats) == 2
    first.close()
    (await third).close()
    assert len(server.chats) == 3
    second.close()


async def test_a_refused_request_gives_its_place_back(door: Door, server: Upstream) -> None:
    server.play(*[Refuse(429, "slow down")] * 3)
    for _ in range(3):
        with pytest.raises(UpstreamError, match="slow down"):
            await begun(door, server)
    (await begun(door, server)).close()


async def test_who_waits_too_long_is_told_to_come_again(door: Door, server: Upstream) -> None:
    server.play(HELD)
    first = await begun(door, server, most=1)
    with pytest.raises(UpstreamError) as caught:
        await begun(door, server, most=1, seconds=0.05)
    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.RATE, 5)
    first.close()


async def test_the_end_of_the_engine_ends_the_wait(door: Door, server: Upstream) -> None:
    server.play(HELD)
    first = await begun(door, server, most=1)
    waiting = asyncio.ensure_future(begun(door, server, most=1))
    await asyncio.sleep(0)
    door.cut(BusyError("The end.", retry_after=1))
    with pytest.raises(BusyError):
        await waiting
    first.close()


def test_the_variable_says_how_many() -> None:
    env = {"MODEL_PROVIDER": "zai", "ZAI_API_KEY": "k", "ZAI_MAX_CONCURRENT": "7"}
    account = apply_environment(Settings(), env, known_names())[0].account("zai")
    assert account is not None
    assert account.most_at_once == 7
    with pytest.raises(ConfigError) as caught:
        apply_environment(Settings(), env | {"ZAI_MAX_CONCURRENT": "many"}, known_names())
    assert caught.value.field == "ZAI_MAX_CONCURRENT"
