"""More requests than the door serves at once: some wait, the rest is refused quickly and politely, and nothing is lost."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Limits
from lynkr_desktop.engine.doorkeeper import Doorkeeper
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.pipeline import Reply
from lynkr_desktop.engine.server import Server
from lynkr_desktop.engine.surfaces import Surface
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import LynkrError

TOKEN = "endpoint-token-of-this-test"
PLACES = 4
PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions", "responses": "/v1/responses", "ollama": "/api/chat"}
PATHS["gemini"] = "/v1beta/models/m:generateContent"


class Rooms:
    """Rooms where every request stays until it is let go. Not our engine: the other side of the door's own protocol."""

    def __init__(self) -> None:
        self.entered = asyncio.Semaphore(0)
        self.exit = asyncio.Event()
        self.inside = self.most_inside = self.served = 0

    async def serve(self, surface: Surface, inbound: Inbound) -> Reply:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.entered.release()
        try:
            await self.exit.wait()
        finally:
            self.inside -= 1
        self.served += 1
        return Reply(200, {"content-type": "application/json"}, b"{}")

    async def page(self, method: str, path: str, inbound: Inbound) -> Reply | None:
        return Reply(200, {"content-type": "application/json"}, b"{}")

    def refusal(self, error: LynkrError, inbound: Inbound) -> Reply:
        status, headers, body = WIRES[inbound.wire].render_error(error, inbound.request_id)
        return Reply(status, {"content-type": "application/json", **headers}, body)


@pytest.fixture
async def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
async def server(rooms: Rooms) -> AsyncIterator[Server]:
    server = Server(rooms, Doorkeeper(Secret(TOKEN)), Limits(max_concurrent=PLACES))
    await server.start(0)
    yield server
    rooms.exit.set()
    await server.stop(5)


async def ask(
    server: Server, path: str = PATHS["openai"], program: str = "p", extra: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nx-api-key: {TOKEN}\r\nContent-Type: application/json\r\n"
        f"User-Agent: {program}\r\n{extra}Content-Length: 2\r\n\r\n{{}}"
    )
    writer.write(head.encode())
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))
    finally:
        writer.close()


async def until_in_line(server: Server, count: int) -> None:
    async with asyncio.timeout(10):
        while server._admission.in_line != count:
            await asyncio.sleep(0)


@pytest.mark.parametrize("extra", ["", "Connection: close\r\n"], ids=["fast", "aiohttp"])
async def test_four_times_as_many_as_fit(server: Server, rooms: Rooms, extra: str) -> None:
    """As many as there are places are served, as many wait, the others hear 503 at once; then all that waited are served."""
    asked = [asyncio.ensure_future(ask(server, extra=extra)) for _ in range(4 * PLACES)]
    done: set[asyncio.Future[tuple[int, dict[str, str], bytes]]] = set()
    pending: set[asyncio.Future[tuple[int, dict[str, str], bytes]]] = set(asked)
    while len(done) < 2 * PLACES:
        fresh, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        assert fresh, "the others were not refused while the first were served"
        done |= fresh
    assert {each.result()[0] for each in done} == {503}
    rooms.exit.set()
    assert [(await each)[0] for each in pending] == [200] * 2 * PLACES
    assert (rooms.most_inside, rooms.served, server._admission.inside) == (PLACES, 2 * PLACES, 0)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
async def test_every_dialect_says_when_to_come_back(server: Server, rooms: Rooms, path: str) -> None:
    server.use(Limits(max_concurrent=1))
    asked = [asyncio.ensure_future(ask(server)) for _ in range(2)]
    await until_in_line(server, 1)
    status, headers, body = await ask(server, path)
    assert (status, headers["retry-after"]) == (503, "2")
    assert "too much to do" in json.dumps(json.loads(body))
    rooms.exit.set()
    assert [(await each)[0] for each in asked] == [200, 200]


async def test_a_client_that_leaves_the_line_leaves_its_place_to_others(server: Server, rooms: Rooms) -> None:
    inside = [asyncio.ensure_future(ask(server)) for _ in range(PLACES)]
    for _ in range(PLACES):
        await rooms.entered.acquire()
    waiting = asyncio.ensure_future(ask(server))
    await until_in_line(server, 1)
    waiting.cancel()
    await until_in_line(server, 0)
    rooms.exit.set()
    await asyncio.gather(*inside)
    assert rooms.served == PLACES


async def test_whoever_has_waited_too_long_is_told(server: Server, rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lynkr_desktop.engine.server._LINE_SECONDS", 0.01)
    inside = [asyncio.ensure_future(ask(server)) for _ in range(PLACES)]
    for _ in range(PLACES):
        await rooms.entered.acquire()
    assert (await ask(server))[0] == 503
    rooms.exit.set()
    await asyncio.gather(*inside)


async def test_pages_are_served_however_full_it_is(server: Server, rooms: Rooms) -> None:
    """Whoever watches must see a busy program, not a dead one."""
    inside = [asyncio.ensure_future(ask(server)) for _ in range(PLACES)]
    for _ in range(PLACES):
        await rooms.entered.acquire()
    assert (await ask(server, "/health"))[0] == 200
    rooms.exit.set()
    await asyncio.gather(*inside)


async def test_a_larger_limit_holds_at_once(server: Server, rooms: Rooms) -> None:
    asked = [asyncio.ensure_future(ask(server)) for _ in range(2 * PLACES)]
    await until_in_line(server, PLACES)
    server.use(Limits(max_concurrent=2 * PLACES))
    for _ in range(2 * PLACES):
        await rooms.entered.acquire()
    assert rooms.inside == 2 * PLACES
    rooms.exit.set()
    await asyncio.gather(*asked)
