"""Programs for people as clients: how each is set up, asked one prompt, and how its user's answer is read from its output."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.program import private_environment
from tests.fakes.script import CallTool
from tests.matrix.places import npm_command, npm_version, python_version, run, script_of
from tests.matrix.values import Ability, Endpoint, Outcome, Task

_PLACE: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "depth": {"type": "integer"}},
    "required": ["name", "depth"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: the task, where to, an empty folder to work in, and a home that the runs of a lane share."""

    task: Task
    endpoint: Endpoint
    folder: Path
    home: Path

    @property
    def env(self) -> dict[str, str]:
        """An environment that leads to nothing of the person who runs this."""
        return private_environment(self.home)


@dataclass(slots=True)
class CommandLine:
    """One program in one API. `ask` runs it; `read` is its tool that reads files, and the argument that is the path."""

    name: str
    title: str
    version: str
    api: str
    ask: Callable[[Run], Outcome]
    read: tuple[str, str] = ("", "")
    lacks: dict[Ability, str] = field(default_factory=dict)
    has_side_requests: bool = False
    part: str = "npm"

    def reading(self, path: Path, number: int) -> CallTool:
        """How a model calls this program's tool to read a file."""
        tool, argument = self.read
        identity = f"toolu_0{number}"
        if tool == "exec_command":
            if path.suffix == ".png":
                return CallTool("view_image", {"path": str(path)}, identity)
            return CallTool(tool, {argument: f"cat '{path}'"}, identity)
        return CallTool(tool, {argument: str(path)}, identity)

    def run(self, task: Task, endpoint: Endpoint, folder: Path) -> Outcome:
        """One prompt. Raises `TimeoutError`."""
        home = folder.parent / f"home-{self.name}"
        home.mkdir(exist_ok=True)
        return self.ask(Run(task, endpoint, folder, home))

    def close(self) -> None:
        """Nothing is kept running."""


def claude_code(one: Run) -> Outcome:
    """Claude Code in print mode."""
    env = one.env | {
        "ANTHROPIC_BASE_URL": one.endpoint.url,
        "ANTHROPIC_API_KEY": one.endpoint.key,
        "ANTHROPIC_MODEL": "claude-sonnet-4-5",
        "ANTHROPIC_SMALL_FAST_MODEL": "claude-sonnet-4-5",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-sonnet-4-5",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "IS_SANDBOX": "1",
        "API_TIMEOUT_MS": "60000",
        "CLAUDE_CODE_MAX_RETRIES": "3",
    }
    more = ["--json-schema", json.dumps(_PLACE)] if one.task.wants_place else []
    fixed = ["--output-format", "json", "--dangerously-skip-permissions", "--max-turns", "12"]
    ended = run([npm_command("claude"), "-p", one.task.prompt, *fixed, *more], env, one.folder)
    result: dict[str, Any] = ended.lines[-1] if ended.lines else {"is_error": True, "result": ended.words}
    text = str(result.get("result", ""))
    error = "" if ended.code == 0 and not result["is_error"] else text or ended.words
    cached = (result.get("usage") or {}).get("cache_read_input_tokens")
    return Outcome("" if error else text, error, cached_tokens=cached, place=result.get("structured_output"))


_CODEX = """
model = "gpt-5.5"
model_provider = "proxy"
check_for_update_on_startup = false

[model_providers.proxy]
name = "Proxy"
base_url = "{url}/v1"
env_key = "PROXY_KEY"
wire_api = "responses"
request_max_retries = 3
stream_max_retries = 3

[analytics]
enabled = false
"""


def codex(one: Run) -> Outcome:
    """Codex without a terminal."""
    (one.home / "config.toml").write_text(_CODEX.format(url=one.endpoint.url), encoding="utf-8")
    more: list[str] = []
    if one.task.picture:
        more += ["-i", one.task.picture]
    if one.task.wants_place:
        schema = one.home / "schema.json"
        schema.write_text(json.dumps(_PLACE), encoding="utf-8")
        more += ["--output-schema", str(schema)]
    fixed = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--json", one.task.prompt]
    env = one.env | {"CODEX_HOME": str(one.home), "PROXY_KEY": one.endpoint.key}
    ended = run([npm_command("codex"), *fixed, *more], env, one.folder)
    said = [line["item"]["text"] for line in ended.lines if line.get("item", {}).get("type") == "agent_message"]
    usage: dict[str, int] = next((line["usage"] for line in ended.lines if line.get("type") == "turn.completed"), {})
    failed = next((line["error"]["message"] for line in ended.lines if line.get("type") == "turn.failed"), "")
    error = failed or ("" if ended.code == 0 else ended.words)
    text = said[-1] if said else ""
    place = _parsed(text) if one.task.wants_place else None
    return Outcome(text, error, cached_tokens=usage.get("cached_input_tokens"), place=place)


def gemini_cli(one: Run) -> Outcome:
    """Gemini CLI without a terminal."""
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"disableAutoUpdate": True, "disableUpdateNag": True, "maxAttempts": 3},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    folder = one.home / ".gemini"
    folder.mkdir(exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    env = one.env | {"GOOGLE_GEMINI_BASE_URL": one.endpoint.url, "GEMINI_API_KEY": one.endpoint.key}
    prompt = f"@{Path(one.task.picture).name} {one.task.prompt}" if one.task.picture else one.task.prompt
    command: list[str | Path] = [
        npm_command("gemini"),
        "--skip-trust",
        "-y",
        "-o",
        "json",
        "-m",
        "gemini-2.5-flash",
        "-p",
        prompt,
    ]
    ended = run(command, env, one.folder)
    answer = _last_object(ended.stdout) or _last_object(ended.stderr) or {}
    error = (answer.get("error") or {}).get("message") or ("" if ended.code == 0 else ended.words)
    models = (answer.get("stats") or {}).get("models") or {}
    cached = sum(model["tokens"]["cached"] for model in models.values()) if models else None
    return Outcome(str(answer.get("response") or ""), error, cached_tokens=cached)


def opencode(package: str) -> Callable[[Run], Outcome]:
    """OpenCode without a terminal; the package decides the API."""

    def ask(one: Run) -> Outcome:
        model = "claude-sonnet-4-5" if package == "@ai-sdk/anthropic" else "gpt-4o"
        abilities = {"attachment": True, "tool_call": True, "modalities": {"input": ["text", "image"], "output": ["text"]}}
        provider = {
            "npm": package,
            "options": {"baseURL": f"{one.endpoint.url}/v1", "apiKey": one.endpoint.key},
            "models": {model: {"name": model, **abilities}},
        }
        config = {
            "provider": {"proxy": provider},
            "model": f"proxy/{model}",
            "small_model": f"proxy/{model}",
            "share": "disabled",
        }
        path = one.home / "opencode.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        env = one.env | {"OPENCODE_CONFIG": str(path), "OPENCODE_PERMISSION": '{"*":"allow"}'}
        for switch in ("AUTOUPDATE", "LSP_DOWNLOAD", "MODELS_FETCH", "DEFAULT_PLUGINS"):
            env[f"OPENCODE_DISABLE_{switch}"] = "1"
        more = ["-f", one.task.picture] if one.task.picture else []
        ended = run([npm_command("opencode"), "run", "--format", "json", one.task.prompt, *more], env, one.folder)
        said = [line["part"]["text"] for line in ended.lines if line.get("type") == "text"]
        errors = [json.dumps(line.get("error")) for line in ended.lines if line.get("type") == "error"]
        tokens = [line["part"]["tokens"]["cache"]["read"] for line in ended.lines if line.get("type") == "step_finish"]
        error = errors[-1] if errors else ("" if ended.code == 0 else ended.words)
        return Outcome(said[-1] if said else "", error, cached_tokens=tokens[-1] if tokens else None)

    return ask


_CONTINUE = """
name: matrix
version: 0.0.1
schema: v1
models:
  - name: proxy
    provider: {provider}
    model: {model}
    apiKey: {key}
    apiBase: {url}/v1/
    roles: [chat]
    capabilities: [tool_use, image_input]
"""


def continue_cli(provider: str) -> Callable[[Run], Outcome]:
    """Continue's command line; the provider decides the API."""

    def ask(one: Run) -> Outcome:
        model = "claude-sonnet-4-5" if provider == "anthropic" else "gpt-4o"
        path = one.home / "config.yaml"
        path.write_text(
            _CONTINUE.format(provider=provider, model=model, key=one.endpoint.key, url=one.endpoint.url), encoding="utf-8"
        )
        env = one.env | {"CONTINUE_TELEMETRY_ENABLED": "0", "CONTINUE_CLI_AUTO_UPDATED": "1"}
        ended = run([npm_command("cn"), "--config", path, "-p", "--auto", one.task.prompt], env, one.folder)
        return Outcome(ended.stdout.strip(), "" if ended.code == 0 else ended.words)

    return ask


def qwen_code(one: Run) -> Outcome:
    """Qwen Code without a terminal. It tells failures as the answer's text."""
    folder = one.home / ".qwen"
    folder.mkdir(exist_ok=True)
    settings = {
        "model": {"generationConfig": {"modalities": {"image": True}}},
        "memory": {"enableManagedAutoMemory": False, "enableManagedAutoDream": False},
        "general": {"disableAutoUpdate": True},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    env = one.env | {"OPENAI_BASE_URL": f"{one.endpoint.url}/v1", "OPENAI_API_KEY": one.endpoint.key}
    prompt = f"@{Path(one.task.picture).name} {one.task.prompt}" if one.task.picture else one.task.prompt
    command: list[str | Path] = [npm_command("qwen"), "-m", "gpt-4o", "-y", "-o", "json", "--auth-type", "openai", "-p", prompt]
    ended = run(command, env, one.folder)
    found = _parsed(ended.stdout)
    result = found[-1] if isinstance(found, list) and found else {}
    text = str(result.get("result") or "")
    error = text if "[API Error" in text else ("" if ended.code == 0 and result else ended.words)
    cached = (result.get("usage") or {}).get("cache_read_input_tokens")
    return Outcome("" if error else text, error, cached_tokens=cached)


def aider(model: str) -> Callable[[Run], Outcome]:
    """Aider with one message; the model's prefix decides the API."""

    def ask(one: Run) -> Outcome:
        env = one.env | {
            "OPENAI_API_BASE": f"{one.endpoint.url}/v1",
            "OPENAI_API_KEY": one.endpoint.key,
            "ANTHROPIC_API_BASE": one.endpoint.url,
            "ANTHROPIC_API_KEY": one.endpoint.key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        fixed = ["--yes-always", "--no-git", "--no-check-update", "--analytics-disable", "--map-tokens", "0", "--no-pretty"]
        fixed += ["--no-show-model-warnings", "--no-show-release-notes", "--no-detect-urls"]
        more = [one.task.picture] if one.task.picture else []
        command: list[str | Path] = [script_of("aider", "aider"), "--model", model, *fixed, "--message", one.task.prompt, *more]
        ended = run(command, env, one.folder)
        history = one.folder / ".aider.chat.history.md"
        _, _, said = (history.read_text(encoding="utf-8") if history.exists() else "").partition("#### ")
        lines = said.splitlines()[1:]
        text = "\n".join(line for line in lines if not line.startswith(">")).strip()
        told = [line for line in lines if line.startswith("> ") and "Error" in line]
        error = ("" if ended.code == 0 else ended.words) or (told[-1] if told and not text else "")
        return Outcome(text, error)

    return ask


_LLM_TOOL = """
def read_file(path: str) -> str:
    "Reads a file."
    with open(path) as file:
        return file.read()
"""


def llm(one: Run) -> Outcome:
    """Simon Willison's llm."""
    models = [{"model_id": "proxy", "model_name": "gpt-4o", "api_base": f"{one.endpoint.url}/v1", "api_key_name": "proxy"}]
    switches = {"supports_tools": True, "supports_schema": True, "vision": True, "reasoning": True}
    (one.home / "extra-openai-models.yaml").write_text(json.dumps([models[0] | switches]), encoding="utf-8")
    more = [] if one.task.is_streamed else ["--no-stream"]
    if one.task.reads_files:
        more += ["--functions", _LLM_TOOL, "--chain-limit", "0"]
    if one.task.picture:
        more += ["-a", one.task.picture]
    if one.task.wants_place:
        more += ["--schema", json.dumps(_PLACE)]
    if one.task.thinks:
        more += ["-o", "reasoning_effort", "low"]
    env = one.env | {"LLM_USER_PATH": str(one.home)}
    command: list[str | Path] = [
        script_of("python", "llm"),
        "-m",
        "proxy",
        "--key",
        one.endpoint.key,
        "-u",
        one.task.prompt,
        *more,
    ]
    ended = run(command, env, one.folder)
    usage = ended.stderr.rpartition("Token usage:")[2]
    cached = _last_object(usage) or {}
    place = _parsed(ended.stdout) if one.task.wants_place else None
    tokens = (cached.get("prompt_tokens_details") or {}).get("cached_tokens")
    return Outcome(ended.stdout.strip(), "" if ended.code == 0 else ended.words, cached_tokens=tokens, place=place)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _last_object(text: str) -> dict[str, Any] | None:
    """The JSON object with which a text ends, from its first brace on."""
    start = text.find("{")
    found = _parsed(text[start : text.rfind("}") + 1]) if start >= 0 else None
    return found if isinstance(found, dict) else None


NO_SCHEMA = "it has no structured answers"
NO_USAGE = "it shows no cached tokens"
NO_PROMPT_PICTURE = "without a terminal it takes no picture in the prompt"
NO_TOOLS = "it has no tools; it edits by text"


def programs() -> list[CommandLine]:
    """All programs."""
    schema = {Ability.SCHEMA: NO_SCHEMA}
    plain = schema | {
        Ability.THINKING: "it does not ask for thinking",
        Ability.CACHED: NO_USAGE,
        Ability.PICTURE: NO_PROMPT_PICTURE,
        Ability.PICTURE_RESULT: "its tool reads text only",
    }
    text_tools = {Ability.PICTURE_RESULT: "its tools give text"}
    no_prompt_picture = {Ability.PICTURE: NO_PROMPT_PICTURE}
    no_tools = dict.fromkeys((Ability.TOOLS, Ability.PICTURE_RESULT), NO_TOOLS) | schema | {Ability.CACHED: NO_USAGE}
    claude, gemini = npm_version("@anthropic-ai/claude-code"), npm_version("@google/gemini-cli")
    aider_version = python_version("aider-chat", "aider")
    openai_model = "@ai-sdk/openai-compatible"
    return [
        CommandLine("llm", "llm", python_version("llm"), "chat", llm, ("read_file", "path"), text_tools, part="python"),
        CommandLine(
            "claude-code", "Claude Code", claude, "messages", claude_code, ("Read", "file_path"), no_prompt_picture
        ),
        CommandLine("codex", "Codex", npm_version("@openai/codex"), "responses", codex, ("exec_command", "cmd")),
        CommandLine(
            "gemini-cli", "Gemini CLI", gemini, "gemini", gemini_cli, ("read_file", "file_path"), schema
        ),
        CommandLine(
            "opencode-chat", "OpenCode, Chat Completions", npm_version("opencode-ai"), "chat", opencode(openai_model),
            ("read", "filePath"), schema, has_side_requests=True,
        ),
        CommandLine(
            "opencode-messages", "OpenCode, Messages", npm_version("opencode-ai"), "messages", opencode("@ai-sdk/anthropic"),
            ("read", "filePath"), schema, has_side_requests=True,
        ),
        CommandLine(
            "qwen-code", "Qwen Code", npm_version("@qwen-code/qwen-code"), "chat", qwen_code, ("read_file", "file_path"), schema
        ),
        CommandLine(
            "continue-chat", "Continue, Chat Completions", npm_version("@continuedev/cli"), "chat", continue_cli("openai"),
            ("Read", "filepath"), plain,
        ),
        CommandLine(
            "continue-messages", "Continue, Messages", npm_version("@continuedev/cli"), "messages", continue_cli("anthropic"),
            ("Read", "filepath"), plain,
        ),
        CommandLine(
            "aider-chat", "Aider, Chat Completions", aider_version, "chat",
            aider("openai/gpt-4o"), lacks=no_tools, part="aider",
        ),
        CommandLine(
            "aider-messages", "Aider, Messages", aider_version, "messages",
            aider("anthropic/claude-sonnet-4-5"), lacks=no_tools, part="aider",
        ),
    ]  # fmt: skip
