"""The vendors' own SDKs in Python, as a user's small program would use them."""

import json
from typing import Any

import anthropic
import openai

from tests.matrix.drivers.conversation import (
    ABOUT,
    ANTHROPIC_MODEL,
    MOST_TURNS,
    OPENAI_MODEL,
    PARAMETERS,
    SECONDS,
    Heard,
    Place,
    Task,
    base64_of,
    is_picture,
    serve,
    text_of,
    url_of,
)


def messages(task: Task, heard: Heard) -> None:
    """Anthropic's SDK."""
    client: Any = anthropic.Anthropic(api_key=task["key"], base_url=task["url"], timeout=SECONDS)
    prompt: Any = task["prompt"]
    if task["picture"]:
        prompt = [{"type": "text", "text": prompt}, *_picture_blocks(task["picture"])]
    asked: dict[str, Any] = {"model": ANTHROPIC_MODEL, "max_tokens": 8000, "messages": [{"role": "user", "content": prompt}]}
    if task["reads_files"]:
        asked["tools"] = [{"name": "read_file", "description": ABOUT, "input_schema": PARAMETERS}]
    if task["thinks"]:
        asked["thinking"] = {"type": "enabled", "budget_tokens": 2048}
    if task["wants_place"]:
        heard.place = client.messages.parse(**asked, output_format=Place).parsed_output.model_dump()
        return
    for _ in range(MOST_TURNS):
        heard.begin_turn()
        message = _message(client, asked, heard, is_streamed=task["is_streamed"])
        heard.cached_tokens = message.usage.cache_read_input_tokens
        calls = [block for block in message.content if block.type == "tool_use"]
        if not calls:
            return
        results = [{"type": "tool_result", "tool_use_id": one.id, "content": _block_content(one.input["path"])} for one in calls]
        asked["messages"] += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]


def _message(client: Any, asked: dict[str, Any], heard: Heard, *, is_streamed: bool) -> Any:
    if not is_streamed:
        message = client.messages.create(**asked)
        heard.add("".join(block.text for block in message.content if block.type == "text"))
        return message
    with client.messages.stream(**asked) as stream:
        for event in stream:
            if event.type == "text":
                heard.add(event.text)
        return stream.get_final_message()


def _picture_blocks(path: str) -> list[dict[str, Any]]:
    return [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": base64_of(path)}}]


def _block_content(path: str) -> Any:
    return _picture_blocks(path) if is_picture(path) else text_of(path)


def chat(task: Task, heard: Heard) -> None:
    """OpenAI's SDK, Chat Completions."""
    client: Any = openai.OpenAI(api_key=task["key"], base_url=task["url"] + "/v1", timeout=SECONDS)
    prompt: Any = task["prompt"]
    if task["picture"]:
        prompt = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": url_of(task["picture"])}}]
    asked: dict[str, Any] = {"model": OPENAI_MODEL, "messages": [{"role": "user", "content": prompt}]}
    if task["reads_files"]:
        function = {"name": "read_file", "description": ABOUT, "parameters": PARAMETERS, "strict": True}
        asked["tools"] = [{"type": "function", "function": function}]
    if task["thinks"]:
        asked["reasoning_effort"] = "low"
    if task["wants_place"]:
        heard.place = client.chat.completions.parse(**asked, response_format=Place).choices[0].message.parsed.model_dump()
        return
    for _ in range(MOST_TURNS):
        heard.begin_turn()
        answer = _completion(client, asked, heard, is_streamed=task["is_streamed"])
        details = answer.usage and answer.usage.prompt_tokens_details
        heard.cached_tokens = details and details.cached_tokens
        if not answer.choices[0].message.tool_calls:
            return
        asked["messages"] += _chat_turns(answer.choices[0].message)


def _completion(client: Any, asked: dict[str, Any], heard: Heard, *, is_streamed: bool) -> Any:
    if not is_streamed:
        answer = client.chat.completions.create(**asked)
        heard.add(answer.choices[0].message.content)
        return answer
    with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
        for event in stream:
            if event.type == "content.delta":
                heard.add(event.delta)
        return stream.get_final_completion()


def _chat_turns(message: Any) -> list[dict[str, Any]]:
    calls = [(one.id, one.function.name, one.function.arguments) for one in message.tool_calls]
    echoed = [{"id": key, "type": "function", "function": {"name": name, "arguments": text}} for key, name, text in calls]
    results = [{"role": "tool", "tool_call_id": key, "content": text_of(json.loads(text)["path"])} for key, _, text in calls]
    return [{"role": "assistant", "content": message.content, "tool_calls": echoed}, *results]


def responses(task: Task, heard: Heard) -> None:
    """OpenAI's SDK, Responses."""
    client: Any = openai.OpenAI(api_key=task["key"], base_url=task["url"] + "/v1", timeout=SECONDS)
    content: list[dict[str, Any]] = [{"type": "input_text", "text": task["prompt"]}]
    if task["picture"]:
        content.append(_input_image(task["picture"]))
    asked: dict[str, Any] = {"model": OPENAI_MODEL, "store": False, "input": [{"role": "user", "content": content}]}
    if task["reads_files"]:
        asked["tools"] = [
            {"type": "function", "name": "read_file", "description": ABOUT, "parameters": PARAMETERS, "strict": True}
        ]
    if task["thinks"]:
        asked |= {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
    if task["wants_place"]:
        heard.place = client.responses.parse(**asked, text_format=Place).output_parsed.model_dump()
        return
    for _ in range(MOST_TURNS):
        heard.begin_turn()
        answer = _response(client, asked, heard, is_streamed=task["is_streamed"])
        details = answer.usage and answer.usage.input_tokens_details
        heard.cached_tokens = details and details.cached_tokens
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            return
        asked["input"] += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in answer.output]
        for one in calls:
            output = _output(json.loads(one.arguments)["path"])
            asked["input"].append({"type": "function_call_output", "call_id": one.call_id, "output": output})


def _response(client: Any, asked: dict[str, Any], heard: Heard, *, is_streamed: bool) -> Any:
    if is_streamed:
        with client.responses.stream(**asked) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    heard.add(event.delta)
            answer = stream.get_final_response()
    else:
        answer = client.responses.create(**asked)
        heard.add(answer.output_text)
    if answer.error:
        raise RuntimeError(answer.error.message)
    return answer


def _input_image(path: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url_of(path), "detail": "auto"}


def _output(path: str) -> Any:
    return [_input_image(path)] if is_picture(path) else text_of(path)


if __name__ == "__main__":
    serve({"anthropic-py": messages, "openai-py-chat": chat, "openai-py-responses": responses})
