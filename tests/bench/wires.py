"""Prints what the wires cost: reading and rendering of whole requests, and of one streamed event, in µs of CPU.

    python -m tests.bench.wires

A plain look, not a floor. Each request is new, and rendered right after it was read; the median of many is shown.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from lynkr_desktop.engine.wire import anthropic, openai_chat
from lynkr_desktop.engine.wire.contract import Quirks, Wire
from lynkr_desktop.engine.wire.sse import SseSplitter
from lynkr_desktop.engine.wire.table import WIRES

_SIZES: Final = {"1 KB": 1_000, "100 KB": 100_000}
_REQUESTS: Final = 300
_EVENTS: Final = 20_000
_ROUNDS: Final = 5
_OPENAI: Final = Quirks(has_max_completion_tokens=True)  # so that nothing goes through as it is
_WORDS: Final = 'def total(items): return "é" + str(sum(item.price for item in items))\n'
_A: Final = WIRES[anthropic.NAME]
_C: Final = WIRES[openai_chat.NAME]
_CHUNK: Final = b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
_EVENT: Final = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word "}}\n\n'
)
_MESSAGE_START: Final = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"m"}}\n\n'


def main() -> None:
    """Measure and print."""
    print("µs of CPU, one request".ljust(36) + "read".rjust(8) + "render".rjust(8))
    for size, count in _SIZES.items():
        for wire, body in ((_A, messages_body(count)), (_C, chat_body(count))):
            for target in (_C, _A):
                read, render = measure_requests(wire, target, body)
                print(f"{f'{wire.NAME} to {target.NAME}, {size}':36}{read:8.1f}{render:8.1f}")
    print("\nµs of CPU, one event of text".ljust(37) + "split".rjust(8) + "read".rjust(8) + "render".rjust(8))
    for wire, other, opening, event in ((_C, _A, _CHUNK, _CHUNK), (_A, _C, _MESSAGE_START + _EVENT, _EVENT)):
        split, read, render = measure_events(wire, other, opening, event)
        print(f"{f'{wire.NAME} to {other.NAME}':36}{split:8.2f}{read:8.2f}{render:8.2f}")


def measure_requests(wire: Wire, target: Wire, body: bytes) -> tuple[float, float]:
    """Reading and rendering of one request, each of them new."""
    reads, renders = [], []
    for number in range(_REQUESTS):
        fresh = body.replace(b"0000000000", b"%010d" % number, 1)
        began = time.process_time_ns()
        request = wire.parse_request(fresh)
        parsed = time.process_time_ns()
        target.render_request(request, "m", _OPENAI, is_streamed=False)
        reads.append(parsed - began)
        renders.append(time.process_time_ns() - parsed)
    return statistics.median(reads) / 1000, statistics.median(renders) / 1000


def measure_events(wire: Wire, other: Wire, opening: bytes, event: bytes) -> tuple[float, float, float]:
    """Splitting, reading and rendering of one event that comes alone, in the middle of a text."""
    splitter, parser = SseSplitter(), wire.stream_parser()
    renderer = other.stream_renderer(other.parse_request(b'{"model":"m","max_tokens":1,"messages":[]}'))
    for frame in splitter.feed(opening):
        renderer.feed(parser.feed(frame))
    frame = splitter.feed(event)[0]
    events = parser.feed(frame)
    return _each(splitter.feed, event), _each(parser.feed, frame), _each(renderer.feed, events)


def _each(work: Callable[[Any], object], given: Any) -> float:
    return min(_round(work, given) for _ in range(_ROUNDS))


def _round(work: Callable[[Any], object], given: Any) -> float:
    began = time.process_time()
    for _ in range(_EVENTS):
        work(given)
    return (time.process_time() - began) / _EVENTS * 1e6


def messages_body(size: int) -> bytes:
    """A coding program's conversation of about `size` bytes for the Messages API: a third tools, the rest results of calls."""
    turns: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": f"Session 0000000000. {_text(400 + size // 100)}"}]}
    ]
    for number in range(_turns(size)):
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": "tool_0", "input": {"path": "src/cart.py"}}
        turns.append({"role": "assistant", "content": [{"type": "text", "text": _text(200)}, use]})
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": _text(3_000)}
        turns.append({"role": "user", "content": [result]})
    tools = [{**definition, "input_schema": schema} for definition, schema in _tools(size)]
    return json.dumps({"model": "m", "max_tokens": 9, "system": _text(size // 8), "messages": turns, "tools": tools}).encode()


def chat_body(size: int) -> bytes:
    """The same conversation for Chat Completions."""
    turns: list[Any] = [{"role": "system", "content": _text(size // 8)}]
    turns.append({"role": "user", "content": f"Session 0000000000. {_text(400 + size // 100)}"})
    for number in range(_turns(size)):
        function = {"name": "tool_0", "arguments": '{"path": "src/cart.py"}'}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        turns.append({"role": "assistant", "content": _text(200), "tool_calls": [call]})
        turns.append({"role": "tool", "tool_call_id": call["id"], "content": _text(3_000)})
    tools = [{"type": "function", "function": {**definition, "parameters": schema}} for definition, schema in _tools(size)]
    return json.dumps({"model": "m", "max_tokens": 9, "messages": turns, "tools": tools}).encode()


def _turns(size: int) -> int:
    return size // 8_000


def _tools(size: int) -> list[tuple[dict[str, str], dict[str, Any]]]:
    properties = {f"argument_{number}": {"type": "string", "description": _text(200)} for number in range(6)}
    schema = {"type": "object", "properties": properties, "required": ["argument_0"]}
    return [({"name": f"tool_{number}", "description": _text(300)}, schema) for number in range(size // 5_000)]


def _text(length: int) -> str:
    return (_WORDS * (length // len(_WORDS) + 1))[:length]


if __name__ == "__main__":
    main()
