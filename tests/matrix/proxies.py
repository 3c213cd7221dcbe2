"""The proxies under test as processes: our program, and LiteLLM's as the bar. Each leads to scripted vendors."""

import contextlib
import json
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Protocol

from tests.fakes.lab import account, account_name
from tests.fakes.program import Program, canary, free_port, private_environment
from tests.fakes.upstream import Upstream
from tests.matrix.places import end, script_of
from tests.matrix.values import Endpoint

SILENCE_SECONDS = 4.0  # after which a proxy must take a vendor for dead
# Every name that a client asks for.
ASKED_MODELS = ("claude-sonnet-4-5", "gpt-4o", "gpt-5.5", "gemini-2.5-flash")
_MODELS = {
    "anthropic": "claude-haiku-4-5",
    "openai": "gpt-4o-mini",
    "azure-openai": "gpt-5.3-codex",
    "google": "gemini-3.1-pro-preview",
    "ollama": "qwen3:8b",
    "bedrock": "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
}
_START_SECONDS = 90.0


class Proxy(Protocol):
    """A proxy on one lane: `first` is the vendor of all scenarios, `second` the one that a conversation changes to."""

    name: str

    def endpoint(self, *, changes_vendor: bool) -> Endpoint:
        """Where the next cell's client goes."""
        ...

    def close(self) -> None:
        """End all processes."""
        ...


class Lynkr:
    """Our program without a window. One process serves all cells, but a change of vendor gets a fresh one each time."""

    name = "lynkr"

    def __init__(self, first: Upstream, second: Upstream, home: Path) -> None:
        self._vendors = (first, second)
        self._home = home
        self._programs: list[Program] = []
        self._direct = self._start({"MODEL_PROVIDER": _target(first)})

    def endpoint(self, *, changes_vendor: bool) -> Endpoint:
        """Where the next cell's client goes."""
        program = self._direct
        if changes_vendor:
            both = ",".join(_target(vendor) for vendor in self._vendors)
            program = self._start({f"TIER_{tier}": both for tier in ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")})
        return Endpoint(program.url.rstrip("/"), program.token)

    def close(self) -> None:
        """End all processes. Raises `AssertionError` if one left a traceback or a key behind."""
        for program in self._programs:
            program.check_end(tuple(vendor.key for vendor in self._vendors))

    def _start(self, env: dict[str, str]) -> Program:
        home = self._home / f"program{len(self._programs)}"
        (home / "lynkr").mkdir(parents=True)
        limits = {"first_byte_seconds": SILENCE_SECONDS, "idle_seconds": SILENCE_SECONDS}
        (home / "lynkr" / "settings.json").write_text(json.dumps({"version": 1, "limits": limits}), encoding="utf-8")
        accounts = account(self._vendors[0]) | account(self._vendors[1])
        program = Program(home, accounts | env)
        self._programs.append(program)
        return program.wait_until_ready()


def _target(vendor: Upstream) -> str:
    return f"{account_name(vendor)}:{_MODELS[vendor.vendor.name]}"


class LiteLlm:
    """LiteLLM's proxy as its documentation sets it up: retries, fallbacks, no unknown parameters; no cool-down between cells."""

    name = "litellm"

    def __init__(self, first: Upstream, second: Upstream, home: Path) -> None:
        self._home = home
        self._processes: list[subprocess.Popen[bytes]] = []
        self._key = "sk-" + canary("master")
        self._direct = self._start([(name, first) for name in ASKED_MODELS], {})
        pairs = [(name, first) for name in ASKED_MODELS] + [("spare", second)]
        self._changing = self._start(pairs, {"fallbacks": [{name: ["spare"]} for name in ASKED_MODELS]})

    def endpoint(self, *, changes_vendor: bool) -> Endpoint:
        """Where the next cell's client goes."""
        return Endpoint(self._changing if changes_vendor else self._direct, self._key)

    def close(self) -> None:
        """End all processes."""
        for process in self._processes:
            end(process)

    def _start(self, models: list[tuple[str, Upstream]], routing: dict[str, object]) -> str:
        port = free_port()
        entries = [{"model_name": name, "litellm_params": _parameters(vendor)} for name, vendor in models]
        config = {
            "model_list": entries,
            # OpenAI's vendor speaks Chat Completions here; by itself LiteLLM would ask it in Responses.
            "litellm_settings": {
                "drop_params": True,
                "request_timeout": SILENCE_SECONDS,
                "use_chat_completions_url_for_anthropic_messages": True,
            },
            "router_settings": {"num_retries": 2, "disable_cooldowns": True, **routing},
            "general_settings": {"master_key": self._key},
        }
        path = self._home / f"litellm-{port}.yaml"
        path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        env = private_environment(self._home) | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
        command = [str(script_of("litellm", "litellm")), "--config", str(path), "--host", "127.0.0.1", "--port", str(port)]
        with (self._home / f"litellm-{port}.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=self._home, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._processes.append(process)
        _wait_for(port, process)
        return f"http://127.0.0.1:{port}"


def _parameters(vendor: Upstream) -> dict[str, object]:
    """A model of LiteLLM's configuration, as its page for the vendor has it."""
    name, url = vendor.vendor.name, vendor.url
    model, key = _MODELS[name], {"api_key": vendor.key}
    match name:
        case "openai":
            return {"model": f"openai/{model}", "api_base": f"{url}/v1", "use_chat_completions_api": True, **key}
        case "azure-openai":
            return {"model": f"openai/responses/{model}", "api_base": f"{url}/v1", **key}
        case "google":
            return {"model": f"gemini/{model}", "api_base": f"{url}/v1beta", **key}
        case "ollama":
            return {"model": f"ollama_chat/{model}", "api_base": url, "num_ctx": 32768, **key}
        case "bedrock":
            place = {"aws_bedrock_runtime_endpoint": url, "aws_region_name": "us-east-1"}
            return {"model": f"bedrock/converse/{model}", **place, **key}
        case _:
            return {"model": f"{name}/{model}", "api_base": url, **key}


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        address = f"http://127.0.0.1:{port}/health/liveliness"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError("LiteLLM did not start; its log is beside its configuration.")
