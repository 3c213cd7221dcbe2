"""How long one large body holds the engine's loop: the longest single turn of it, in ms of CPU, by kind of body.

The engine runs in this process on asyncio's own loop, whose turns can be timed one by one; what else the machine does is not
counted. Run as `python -m tests.bench.holding serve`, it is the engine, and answers each line of input with the longest turn
since the last one. Run as `python -m tests.bench.holding` it prints all kinds.
"""

import asyncio
import gc
import json
import os
import sys
import tempfile
import threading
import time
from asyncio import events
from pathlib import Path
from typing import Any, Final

from lynkr_desktop import headless, startup
from tests.bench import load
from tests.bench.load import Load
from tests.bench.processes import TOKEN, Program, environment_of, free_port, upstream
from tests.bench.report import Figures
from tests.bench.upstream import WORD
from tests.bench.wires import chat_body, messages_body

SIZE: Final = 1_000_000  # bytes
_ROUNDS: Final = 12
_PATHS: Final = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}


def measure(upstream_port: int, folder: Path) -> Figures:
    """The longest turn for each kind of body, in ms."""
    env = environment_of(upstream_port, folder, free_port())
    engine = Program([sys.executable, "-m", "tests.bench.holding", "serve"], environment=env, core=0, hears=True)
    try:
        url = str(json.loads(engine.first_line())["url"])
        return {name: _longest(engine, Load(url + _PATHS[wire], body, _HEADERS, words)) for name, wire, body, words in _kinds()}
    finally:
        engine.end()


_HEADERS: Final = (f"Authorization: Bearer {TOKEN}",)


def _kinds() -> list[tuple[str, str, bytes, int]]:
    """Name, client's wire, body, and words that must come back. The provider speaks OpenAI's wire."""
    words = SIZE // len(WORD)
    kinds: list[tuple[str, str, bytes, int]] = []
    for wire, way in (("openai", "same wire"), ("anthropic", "translated")):
        kinds += [
            (f"request of 1 MB, {way}", wire, _conversation(wire), 9),
            (f"picture of 1 MB, {way}", wire, _picture(wire), 1),
            (f"answer of 1 MB, {way}", wire, _answered(wire, words), words),
            (f"stream of 1 MB, {way}", wire, load.body_of(wire, 1_000, words), words),
        ]
    return kinds


def _conversation(wire: str) -> bytes:
    return messages_body(SIZE) if wire == "anthropic" else chat_body(SIZE)


def _picture(wire: str) -> bytes:
    body = json.loads(load.body_of(wire, 1_000))
    encoded = "A" * SIZE
    source = {"type": "base64", "media_type": "image/png", "data": encoded}
    url = {"url": f"data:image/png;base64,{encoded}"}
    part = {"type": "image", "source": source} if wire == "anthropic" else {"type": "image_url", "image_url": url}
    text = body["messages"][0]["content"]
    body["messages"][0]["content"] = [{"type": "text", "text": text}, part]
    return json.dumps(body).encode()


def _answered(wire: str, words: int) -> bytes:
    """A short request for one long JSON."""
    body: dict[str, Any] = json.loads(load.body_of(wire, 1_000))
    return json.dumps(body | {"max_tokens": words}).encode()


def _longest(engine: Program, asked: Load) -> float:
    """Warm up, forget what was, ask some times, one after the other."""
    asyncio.run(load.checked(asked, 1, requests=2))
    _told(engine)
    asyncio.run(load.checked(asked, 1, requests=_ROUNDS))
    return _told(engine)


def _told(engine: Program) -> float:
    assert engine.process.stdin is not None and engine.process.stdout is not None
    engine.process.stdin.write(b"\n")
    engine.process.stdin.flush()
    return float(engine.process.stdout.readline())


def serve() -> None:
    """Be the engine, with each turn of its loop timed."""
    longest = 0
    original = events.Handle._run

    def timed(handle: events.Handle) -> None:
        nonlocal longest
        began = time.thread_time_ns()
        original(handle)
        longest = max(longest, time.thread_time_ns() - began)

    def tell() -> None:
        nonlocal longest
        for _ in sys.stdin:
            print(longest / 1e6, flush=True)
            longest = 0

    setattr(events.Handle, "_run", timed)  # noqa: B010 - it is a method of somebody else's class
    threading.Thread(target=tell, daemon=True).start()
    gc.set_threshold(*headless._COLLECT_AFTER)
    asyncio.run(headless.serve(startup.read(dict(os.environ), None)))


def main() -> None:
    """Print all kinds."""
    with tempfile.TemporaryDirectory(prefix="lynkr-holding-") as folder, upstream() as port:
        for name, value in measure(port, Path(folder)).items():
            print(f"{name:40}{value:8.2f} ms")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
