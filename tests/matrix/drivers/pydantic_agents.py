"""pydantic-ai in its three APIs, as a user's small program would use it."""

# mypy: disable-error-code="import-not-found"

from pathlib import Path
from typing import Any

from pydantic_ai import Agent, BinaryContent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from tests.matrix.drivers.conversation import ANTHROPIC_MODEL, OPENAI_MODEL, Heard, Place, Task, is_picture, serve, text_of


def read_file(path: str) -> Any:
    """Reads a file."""
    return _picture(path) if is_picture(path) else text_of(path)


def _picture(path: str) -> Any:
    return BinaryContent(Path(path).read_bytes(), media_type="image/png")


def _converse(model: Any, settings: dict[str, Any], task: Task, heard: Heard) -> None:
    agent = Agent(model, tools=[read_file] if task["reads_files"] else [], model_settings=settings or None)
    prompt = [task["prompt"], _picture(task["picture"])] if task["picture"] else task["prompt"]
    if task["wants_place"]:
        heard.place = agent.run_sync(prompt, output_type=Place).output.model_dump()
        return
    if not task["is_streamed"]:
        heard.add(agent.run_sync(prompt).output)
        return

    async def listen(_: Any, events: Any) -> None:
        async for event in events:
            _hear(event, heard)

    usage = agent.run_sync(prompt, event_stream_handler=listen).usage
    heard.cached_tokens = (usage() if callable(usage) else usage).cache_read_tokens


def _hear(event: Any, heard: Heard) -> None:
    if event.event_kind == "part_start":
        if event.index == 0:
            heard.begin_turn()
        heard.add(event.part.content if event.part.part_kind == "text" else "")
    elif event.event_kind == "part_delta" and event.delta.part_delta_kind == "text":
        heard.add(event.delta.content_delta)


def messages(task: Task, heard: Heard) -> None:
    """Messages."""
    provider = AnthropicProvider(api_key=task["key"], base_url=task["url"])
    thinking = {"anthropic_thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 8000}
    _converse(AnthropicModel(ANTHROPIC_MODEL, provider=provider), thinking if task["thinks"] else {}, task, heard)


def chat(task: Task, heard: Heard) -> None:
    """Chat Completions."""
    _converse(OpenAIChatModel(OPENAI_MODEL, provider=_openai(task)), _effort(task), task, heard)


def responses(task: Task, heard: Heard) -> None:
    """Responses."""
    _converse(OpenAIResponsesModel(OPENAI_MODEL, provider=_openai(task)), _effort(task), task, heard)


def _openai(task: Task) -> Any:
    return OpenAIProvider(api_key=task["key"], base_url=task["url"] + "/v1")


def _effort(task: Task) -> dict[str, Any]:
    return {"openai_reasoning_effort": "low"} if task["thinks"] else {}


if __name__ == "__main__":
    serve({"pydantic-ai-anthropic": messages, "pydantic-ai-chat": chat, "pydantic-ai-responses": responses})
