"""The short way in and the long one must mean the same: bytes on a real socket, in every odd shape."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.engine.doorkeeper import Doorkeeper
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.pipeline import Reply
from lynkr_desktop.engine.server import Server
from lynkr_desktop.engine.surfaces import Surface
from lynkr_desktop.errors import ClientError, LynkrError

TOKEN = "endpoint-token-of-this-test"
CHAT = "/v1/chat/completions"


class Rooms:
    """Rooms that tell what reached them. Not our engine: the other side of the door's own protocol."""

    def __init__(self) -> None:
        self.seen: list[Inbound] = []
        self.left = asyncio.Event()
        self.chunks = [b"data: 1\n\n", b"", b"data: 2\n\n"]
        self.is_endless = False

    async def serve(self, surface: Surface, inbound: Inbound) -> Reply:
        self.seen.append(inbound)
        if b"stream" in inbound.body:
            return Reply(200, {"content-type": "text/event-stream"}, chunks=self._stream())
        body = json.dumps({"surface": surface.name, "bytes": len(inbound.body)}).encode()
        return Reply(200, {"content-type": "application/json", "x-number": str(len(self.seen))}, body)

    async def _stream(self) -> AsyncGenerator[bytes]:
        try:
            for chunk in self.chunks:
                yield chunk
            if self.is_endless:
                await asyncio.Event().wait()
        finally:
            self.left.set()

    async def page(self, method: str, path: str, inbound: Inbound) -> Reply | None:
        return Reply(200, {"content-type": "text/plain"}, b"page") if path == "/health" else None

    def refusal(self, error: LynkrError, inbound: Inbound) -> Reply:
        status = error.status if isinstance(error, ClientError) else 500
        return Reply(status, {"content-type": "application/json"}, json.dumps({"error": str(error)}).encode())


@pytest.fixture
async def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
async def server(rooms: Rooms) -> AsyncIterator[Server]:
    server = Server(rooms, Doorkeeper(Secret(TOKEN)))
    await server.start(0)
    yield server
    await server.stop(1)


def request(port: int, body: bytes = b'{"a":1}', path: str = CHAT, extra: str = "", length: int | None = None) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        f"{extra}Content-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return head.encode() + body


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            if headers.get("transfer-encoding") == "chunked":
                body = b""
                while size := int(await self.reader.readline(), 16):
                    body += await self.reader.readexactly(size)
                    await self.reader.readline()
                await self.reader.readline()
            else:
                body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return int(head[0].split()[1]), headers, body


@pytest.fixture
async def peer(server: Server) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    yield Peer(reader, writer)
    writer.close()


async def test_any_cutting_of_a_request_is_the_same_request(server: Server, rooms: Rooms) -> None:
    whole = request(server.port, b'{"cut":true}')
    for place in range(1, len(whole), 7):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(whole[:place])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(whole[place:])
        status, _, _ = await Peer(reader, writer).answer()
        assert status == 200
        writer.close()
    assert {inbound.body for inbound in rooms.seen} == {b'{"cut":true}'}


async def test_requests_sent_ahead_are_answered_in_order(server: Server, peer: Peer) -> None:
    peer.writer.write(b"".join(request(server.port, b"x" * size) for size in (1, 2, 3)))
    answers = [await peer.answer() for _ in range(3)]
    assert [json.loads(body)["bytes"] for _, _, body in answers] == [1, 2, 3]


async def test_a_connection_changes_hands_between_requests(server: Server, peer: Peer) -> None:
    peer.writer.write(request(server.port))
    assert (await peer.answer())[0] == 200
    peer.writer.write(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    assert (await peer.answer())[2] == b"page"
    peer.writer.write(request(server.port))
    assert (await peer.answer())[0] == 200


@pytest.mark.parametrize(
    "extra",
    ["Connection: close\r\n", "Expect: 100-continue\r\n", "X-Long: " + "y" * 6000 + "\r\n", "Connection: keep-alive\r\n"],
    ids=["close", "expect", "long-header", "keep-alive"],
)
async def test_odd_requests_mean_the_same(server: Server, peer: Peer, rooms: Rooms, extra: str) -> None:
    peer.writer.write(request(server.port, extra=extra))
    status, _, _ = await peer.answer()
    if status == 100:
        status, _, _ = await peer.answer()
    assert status == 200
    assert rooms.seen[0].body == b'{"a":1}'


async def test_a_chunked_request_is_taken(server: Server, peer: Peer, rooms: Rooms) -> None:
    head = request(server.port, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    peer.writer.write(head + b"3\r\n{}\n\r\n0\r\n\r\n")
    assert (await peer.answer())[0] == 200
    assert rooms.seen[0].body == b"{}\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/9.9\r\nHost: h\r\nContent-Length: 1\r\n\r\na",
        b"POST /v1/chat/completions\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nBad Header\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ],
    ids=["two-lengths", "length-and-chunks", "negative", "version", "no-version", "no-colon", "binary"],
)
async def test_what_is_no_proper_request_never_gets_in(server: Server, peer: Peer, rooms: Rooms, raw: bytes) -> None:
    peer.writer.write(raw)
    async with asyncio.timeout(10):
        line = await peer.reader.readline()
    assert line == b"" or int(line.split()[1]) in {400, 403}
    assert rooms.seen == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"Bearer " + TOKEN.encode(), b"Bearer wrong"), 401),
        ((b"Host: 127.0.0.1", b"Host: evil.example"), 403),
        ((b"Content-Type: application/json", b"Content-Type: text/plain"), 415),
        ((b"\r\nContent-Type", b"\r\nOrigin: https://evil.example\r\nContent-Type"), 403),
    ],
    ids=["token", "host", "type", "origin"],
)
async def test_the_checks_hold_on_the_short_way(
    server: Server, peer: Peer, rooms: Rooms, change: tuple[bytes, bytes], status: int
) -> None:
    peer.writer.write(request(server.port).replace(*change))
    assert (await peer.answer())[0] == status
    assert rooms.seen == []


async def test_a_body_beyond_the_limit_is_refused_before_it_comes(server: Server, peer: Peer, rooms: Rooms) -> None:
    peer.writer.write(request(server.port, b"", length=65 * 2**20))
    assert (await peer.answer())[0] == 413
    assert rooms.seen == []


async def test_a_stream_comes_chunk_by_chunk_and_the_connection_lives_on(server: Server, peer: Peer) -> None:
    peer.writer.write(request(server.port, b'{"stream":true}'))
    status, headers, body = await peer.answer()
    assert (status, headers["content-type"], body) == (200, "text/event-stream", b"data: 1\n\ndata: 2\n\n")
    peer.writer.write(request(server.port))
    assert (await peer.answer())[0] == 200


async def test_a_client_that_leaves_ends_the_stream_at_once(server: Server, rooms: Rooms) -> None:
    rooms.is_endless = True
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request(server.port, b'{"stream":true}'))
    await reader.readuntil(b"data: 2")
    writer.transport.abort()
    async with asyncio.timeout(10):
        await rooms.left.wait()


async def test_a_slow_client_slows_the_stream_down(server: Server, rooms: Rooms) -> None:
    produced = 0

    async def flood() -> AsyncGenerator[bytes]:
        nonlocal produced
        for _ in range(2000):
            produced += 1
            yield b"x" * 65536

    async def serve(surface: Surface, inbound: Inbound) -> Reply:
        return Reply(200, {}, chunks=flood())

    rooms.serve = serve  # type: ignore[method-assign]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=65536)
    writer.write(request(server.port))
    before = -1
    while before != produced:
        before = produced
        for _ in range(500):
            await asyncio.sleep(0)
    assert produced < 2000
    body = 0
    while produced < 2000 or body < 2000 * 65536:
        async with asyncio.timeout(10):
            body += len(await reader.read(2**20))
    writer.close()


async def test_stopping_ends_waiting_connections_and_lets_answers_end(server: Server, peer: Peer, rooms: Rooms) -> None:
    peer.writer.write(request(server.port))
    await peer.answer()
    await server.stop(1)
    async with asyncio.timeout(10):
        assert await peer.reader.read() == b""
