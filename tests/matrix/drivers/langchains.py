"""LangChain with its packages for both vendors, as a user's small program would use it."""

# mypy: disable-error-code="import-not-found"

from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from tests.matrix.drivers.conversation import (
    ANTHROPIC_MODEL,
    MOST_TURNS,
    OPENAI_MODEL,
    SECONDS,
    Heard,
    Place,
    Task,
    base64_of,
    is_picture,
    serve,
    text_of,
)


def read_file(path: str) -> Any:
    """Reads a file."""
    return [_picture(path)] if is_picture(path) else text_of(path)


def _picture(path: str) -> dict[str, Any]:
    return {"type": "image", "base64": base64_of(path), "mime_type": "image/png"}


def _converse(model: Any, task: Task, heard: Heard) -> None:
    if task["wants_place"]:
        heard.place = model.with_structured_output(Place).invoke(task["prompt"]).model_dump()
        return
    prompt: Any = task["prompt"]
    if task["picture"]:
        prompt = [{"type": "text", "text": prompt}, _picture(task["picture"])]
    turns: list[Any] = [HumanMessage(prompt)]
    bound = model.bind_tools([tool(read_file)]) if task["reads_files"] else model
    for _ in range(MOST_TURNS):
        heard.begin_turn()
        answer = _answer(bound, turns, heard, is_streamed=task["is_streamed"])
        heard.cached_tokens = ((answer.usage_metadata or {}).get("input_token_details") or {}).get("cache_read")
        if not answer.tool_calls:
            return
        turns.append(answer)
        turns += [ToolMessage(read_file(one["args"]["path"]), tool_call_id=one["id"]) for one in answer.tool_calls]


def _answer(model: Any, turns: list[Any], heard: Heard, *, is_streamed: bool) -> Any:
    if not is_streamed:
        answer = model.invoke(turns)
        heard.add(str(answer.text))
        return answer
    whole: Any = None
    for chunk in model.stream(turns):
        heard.add(str(chunk.text))
        whole = chunk if whole is None else whole + chunk
    return whole


def messages(task: Task, heard: Heard) -> None:
    """The Anthropic package."""
    more: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 2048}} if task["thinks"] else {}
    reach = {"api_key": task["key"], "base_url": task["url"], "timeout": SECONDS}
    _converse(ChatAnthropic(model=ANTHROPIC_MODEL, max_tokens=8000, **reach, **more), task, heard)


def chat(task: Task, heard: Heard) -> None:
    """The OpenAI package."""
    more: dict[str, Any] = {"reasoning_effort": "low"} if task["thinks"] else {}
    reach = {"api_key": task["key"], "base_url": task["url"] + "/v1", "timeout": SECONDS}
    _converse(ChatOpenAI(model=OPENAI_MODEL, stream_usage=True, **reach, **more), task, heard)


if __name__ == "__main__":
    serve({"langchain-anthropic": messages, "langchain-openai": chat})
