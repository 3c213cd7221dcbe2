"""Our HTTP client against raw servers that behave as real ones do at their worst."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from lynkr_desktop.engine.http1 import head_of, split_url
from lynkr_desktop.engine.upstream import Call, Timeouts, Upstream
from lynkr_desktop.errors import FailureKind, UpstreamError

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def client() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    upstream.open()
    try:
        yield upstream
    finally:
        await upstream.close()


def call(url: str, body: bytes | None = b"{}", idle: float = 5, first_byte: float = 5) -> Call:
    return Call("Test", f"{url}/v1/x", {"content-type": "application/json"}, body, Timeouts(5, first_byte, idle))


async def request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    return head + await reader.readexactly(length)


def answering(*replies: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            await request_of(reader)
            writer.write(reply)
            await writer.drain()

    return serve


async def fetch(upstream: Upstream, wanted: Call) -> bytes:
    reply = await upstream.send(wanted)
    try:
        return await reply.read()
    finally:
        reply.close()


async def test_a_connection_is_used_again() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answering(PLAIN, PLAIN, PLAIN)(reader, writer)

    async with serving(serve) as url, client() as upstream:
        assert [await fetch(upstream, call(url)) for _ in range(3)] == [b"{}"] * 3
    assert connections == 1


async def test_a_kept_connection_that_was_given_up_is_replaced_without_a_word() -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await request_of(reader))
        writer.write(PLAIN)
        if len(asked) == 1:
            await reader.readuntil(b"\r\n\r\n")  # the second request arrives, and nobody answers it

    async with serving(serve) as url, client() as upstream:
        assert await fetch(upstream, call(url)) == b"{}"
        assert await fetch(upstream, call(url, b'{"second":1}')) == b"{}"
    assert len(asked) == 2
    assert asked[1].endswith(b'{"second":1}')


async def test_a_server_that_never_answers_is_unreachable_and_asked_once() -> None:
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await request_of(reader)

    async with serving(serve) as url, client() as upstream:
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(url))
    assert caught.value.kind is FailureKind.UNREACHABLE
    assert asked == 1


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, b"{}"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PLAIN, b"{}"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(b"packed", mtime=0))
            + gzip.compress(b"packed", mtime=0),
            b"packed",
        ),
    ],
    ids=["chunked", "until-close", "http-1.0", "continue", "early-hints", "gzip"],
)
async def test_ways_of_ending(reply: bytes, body: bytes) -> None:
    async with serving(answering(reply)) as url, client() as upstream:
        assert await fetch(upstream, call(url)) == body


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["cut-length", "cut-chunks", "brotli", "not-gzip", "not-http", "huge-head", "redirect"],
)
async def test_what_is_no_answer_is_named_so(reply: bytes) -> None:
    async with serving(answering(reply)) as url, client() as upstream:
        with pytest.raises(UpstreamError) as caught:
            await fetch(upstream, call(url))
    assert caught.value.kind is FailureKind.PROTOCOL


async def test_bytes_behind_an_answer_do_not_reach_the_next_request() -> None:
    first = True

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        await request_of(reader)
        writer.write(PLAIN + (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged" if first else b""))
        first = False
        await reader.read()

    async with serving(serve) as url, client() as upstream:
        assert [await fetch(upstream, call(url)) for _ in range(2)] == [b"{}", b"{}"]


async def test_silence_is_a_timeout() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        await reader.read()

    async def halting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await reader.read()

    for serve in (mute, halting):
        async with serving(serve) as url, client() as upstream:
            with pytest.raises(UpstreamError) as caught:
                await fetch(upstream, call(url, idle=0.1, first_byte=0.1))
        assert caught.value.kind is FailureKind.TIMEOUT


async def test_leaving_hangs_up_at_once() -> None:
    gone = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        await reader.read()
        gone.set()

    async with serving(endless) as url, client() as upstream:
        reply = await upstream.send(call(url))
        reply.close()
        async with asyncio.timeout(5):
            await gone.wait()


async def test_a_slow_reader_slows_the_server_down() -> None:
    sent = 0
    size = 64 * 1024 * 1024

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"x" * 65536)
            sent += 65536
            await writer.drain()

    async with serving(flood) as url, client() as upstream:
        reply = await upstream.send(call(url))
        before = -1
        while before != sent:  # until the server is stuck
            before = sent
            for _ in range(200):
                await asyncio.sleep(0)
        assert sent < size
        assert len(await reply.read()) == size
        reply.close()


def test_a_header_cannot_break_out_of_its_line() -> None:
    for value in ("a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"):
        with pytest.raises(ValueError, match="line break"):
            head_of("POST", "h", "/", {"x": value}, 0)
    with pytest.raises(ValueError, match="line break"):
        head_of("POST", "h", "/a\r\nHost: evil", {}, 0)


@pytest.mark.parametrize("url", ["ftp://a/b", "http://", "nonsense", "http://h:99999/"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        split_url(url)


def test_userinfo_never_becomes_the_host_header() -> None:
    origin, host, path = split_url("https://user:secret@example.com:444/v1?x=1")
    assert (origin.host, origin.port, host, path) == ("example.com", 444, "example.com:444", "/v1?x=1")
