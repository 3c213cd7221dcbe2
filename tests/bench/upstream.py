"""A scripted provider that costs next to nothing: answers at once, in OpenAI's and Anthropic's formats, whole or streamed.

`max_tokens` of the request is the number of words. Each word is `WORD`, so that a reader can count what came through.
Run as `python -m tests.bench.upstream PORT`.
"""

import asyncio
import re
import sys

WORD = b"tick "
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TOKENS = re.compile(rb'"max_(?:completion_)?tokens"\s*:\s*(\d+)')
_STREAM = re.compile(rb'"stream"\s*:\s*true')
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(payload: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(payload), payload)


def _json_answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


_OPENAI_HEAD = b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":[{"index":0,'
_OPENAI_FIRST = b"data: " + _OPENAI_HEAD + b'"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
_OPENAI_WORD = b"data: " + _OPENAI_HEAD + b'"delta":{"content":"' + WORD + b'"},"finish_reason":null}]}\n\n'
_OPENAI_LAST = (
    b"data: " + _OPENAI_HEAD + b'"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":[],'
    b'"usage":{"prompt_tokens":20,"completion_tokens":20,"total_tokens":40}}\n\ndata: [DONE]\n\n'
)
_OPENAI_JSON = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"bench","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"' + WORD + b'"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21}}'
)
_ANTHROPIC_FIRST = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
    b'"model":"bench","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
)
_ANTHROPIC_WORD = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"'
    + WORD
    + b'"}}\n\n'
)
_ANTHROPIC_LAST = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"output_tokens":20}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
)
_ANTHROPIC_JSON = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"bench","content":[{"type":"text","text":"' + WORD + b'"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":20,"output_tokens":1}}'
)


class Provider(asyncio.Protocol):
    """One connection. Reads whole requests, answers them in order."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            found = _LENGTH.search(head)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < size:
                return
            body = bytes(self._buffer[end + 4 : size])
            del self._buffer[:size]
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        assert self._transport is not None
        is_anthropic = b"/messages" in path
        # The settings follow the conversation in a body of any size: only its two ends are searched.
        ends = body[:400] + body[-400:]
        tokens = _TOKENS.search(ends)
        if not _STREAM.search(ends):
            whole = _ANTHROPIC_JSON if is_anthropic else _OPENAI_JSON
            self._transport.write(_json_answer(whole.replace(WORD, WORD * int(tokens[1])) if tokens else whole))
            return
        first, word, last = (
            (_ANTHROPIC_FIRST, _ANTHROPIC_WORD, _ANTHROPIC_LAST) if is_anthropic else (_OPENAI_FIRST, _OPENAI_WORD, _OPENAI_LAST)
        )
        self._transport.write(_STREAM_HEAD + _chunk(first))
        for _ in range(int(tokens[1]) if tokens else 1):
            self._transport.write(_chunk(word))
        self._transport.write(_chunk(last) + b"0\r\n\r\n")


async def serve(port: int) -> None:
    """Listen on loopback for ever."""
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
