"""How a client talks in each of our two dialects, and what it hears. Judges the grammar of streams while it listens."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.fakes.caller import Reply, events_of

READ_FILE_SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


@dataclass(slots=True)
class Called:
    """A tool call as heard; `arguments` is the JSON text."""

    id: str
    name: str
    arguments: str = ""

    @property
    def path(self) -> str:
        """The `path` argument."""
        return str(json.loads(self.arguments)["path"])


@dataclass(slots=True)
class Heard:
    """An answer in no vendor's words. `stop`: end, tools, length, refusal, sequence."""

    id: str = ""
    model: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    calls: list[Called] = field(default_factory=list)
    stop: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)  # anthropic: the content as a client would send it back


class Dialect(Protocol):
    """One of the client's wires."""

    name: str
    path: str

    def ask(self, prompt: Any, *, is_streamed: bool = False, tools: Sequence[str] = (), **more: Any) -> dict[str, Any]:
        """A request of one user turn."""
        ...

    def picture(self, text: str, base64_png: str) -> Any:
        """A prompt with an image."""
        ...

    def next_turn(self, request: dict[str, Any], heard: Heard, results: dict[str, str]) -> dict[str, Any]:
        """The request that follows an answer with tool calls; `results` by call id."""
        ...

    def heard(self, reply: Reply) -> Heard:
        """A whole reply, or a streamed one."""
        ...

    def error_of(self, event: Any) -> str:
        """The message of an error body or error event, which must have the dialect's shape."""
        ...


class Messages:
    """Anthropic Messages."""

    name = "messages"
    path = "/v1/messages"

    def ask(self, prompt: Any, *, is_streamed: bool = False, tools: Sequence[str] = (), **more: Any) -> dict[str, Any]:
        """A request of one user turn."""
        request: dict[str, Any] = {
            "model": "claude-sonnet-4-5",
            "max_tokens": 512,
            "messages": [{"role": "user", "content": prompt}],
        }
        if is_streamed:
            request["stream"] = True
        if tools:
            request["tools"] = [
                {"name": name, "description": f"Does {name}.", "input_schema": READ_FILE_SCHEMA} for name in tools
            ]
        return request | more

    def picture(self, text: str, base64_png: str) -> Any:
        """A prompt with an image."""
        source = {"type": "base64", "media_type": "image/png", "data": base64_png}
        return [{"type": "text", "text": text}, {"type": "image", "source": source}]

    def next_turn(self, request: dict[str, Any], heard: Heard, results: dict[str, str]) -> dict[str, Any]:
        """The request that follows an answer with tool calls."""
        answers = [{"type": "tool_result", "tool_use_id": key, "content": text} for key, text in results.items()]
        turns = [{"role": "assistant", "content": heard.blocks}, {"role": "user", "content": answers}]
        return request | {"messages": request["messages"] + turns}

    def heard(self, reply: Reply) -> Heard:
        """A whole reply, or a streamed one."""
        if reply.headers["content-type"].startswith("text/event-stream"):
            return self._listen(events_of(reply.body))
        assert reply.json["type"] == "message", reply.body
        return self._whole(reply.json)

    def error_of(self, event: Any) -> str:
        """The message of an error."""
        assert event["type"] == "error", event
        assert event["error"]["type"].endswith(("_error", "_too_large")), event
        return str(event["error"]["message"])

    def _listen(self, events: list[Any]) -> Heard:
        events = [event for event in events if event["type"] != "ping"]
        assert events[0]["type"] == "message_start", events[0]
        message, is_open = dict(events[0]["message"]), False
        assert message["content"] == []
        partial = ""
        for event in events[1:-1]:
            match event["type"]:
                case "content_block_start":
                    assert not is_open, "a block opened inside another one"
                    assert event["index"] == len(message["content"])
                    message["content"].append(dict(event["content_block"]))
                    is_open, partial = True, ""
                case "content_block_delta":
                    assert is_open, "a delta outside of a block"
                    assert event["index"] == len(message["content"]) - 1
                    partial = self._add(message["content"][-1], event["delta"], partial)
                case "content_block_stop":
                    assert is_open
                    assert event["index"] == len(message["content"]) - 1
                    is_open = False
                case "message_delta":
                    assert not is_open, "the message ended inside a block"
                    message |= event["delta"]
                    message["usage"] = message["usage"] | event["usage"]
                case other:
                    raise AssertionError(f"unexpected event {other}: {event}")
        assert events[-1]["type"] == "message_stop", events[-1]
        return self._whole(message)

    @staticmethod
    def _add(block: dict[str, Any], delta: dict[str, Any], partial: str) -> str:
        match delta["type"]:
            case "text_delta":
                block["text"] += delta["text"]
            case "thinking_delta":
                block["thinking"] += delta["thinking"]
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "input_json_delta":
                partial += delta["partial_json"]
                block["@arguments"] = partial
            case other:
                raise AssertionError(f"unexpected delta {other}")
        return partial

    def _whole(self, message: dict[str, Any]) -> Heard:
        stops = {
            "end_turn": "end",
            "tool_use": "tools",
            "max_tokens": "length",
            "refusal": "refusal",
            "stop_sequence": "sequence",
        }
        heard = Heard(message["id"], message["model"], stop=stops[message["stop_reason"]], usage=message["usage"])
        for block in message["content"]:
            arguments = block.pop("@arguments", "")
            match block["type"]:
                case "text":
                    heard.text += block["text"]
                case "thinking":
                    heard.thinking += block["thinking"]
                    heard.signature = block.get("signature", "")
                case "tool_use":
                    block["input"] = json.loads(arguments) if arguments else block["input"]
                    heard.calls.append(Called(block["id"], block["name"], arguments or json.dumps(block["input"])))
            heard.blocks.append(block)
        return heard


class ChatCompletions:
    """OpenAI Chat Completions."""

    name = "chat"
    path = "/v1/chat/completions"

    def ask(self, prompt: Any, *, is_streamed: bool = False, tools: Sequence[str] = (), **more: Any) -> dict[str, Any]:
        """A request of one user turn."""
        request: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}]}
        if is_streamed:
            request |= {"stream": True, "stream_options": {"include_usage": True}}
        if tools:
            functions = [{"name": name, "description": f"Does {name}.", "parameters": READ_FILE_SCHEMA} for name in tools]
            request["tools"] = [{"type": "function", "function": function} for function in functions]
        return request | more

    def picture(self, text: str, base64_png: str) -> Any:
        """A prompt with an image."""
        url = f"data:image/png;base64,{base64_png}"
        return [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]

    def next_turn(self, request: dict[str, Any], heard: Heard, results: dict[str, str]) -> dict[str, Any]:
        """The request that follows an answer with tool calls."""
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in heard.calls
        ]
        answers = [{"role": "tool", "tool_call_id": key, "content": text} for key, text in results.items()]
        turn = {"role": "assistant", "content": heard.text or None, "tool_calls": calls}
        return request | {"messages": [*request["messages"], turn, *answers]}

    def heard(self, reply: Reply) -> Heard:
        """A whole reply, or a streamed one."""
        if reply.headers["content-type"].startswith("text/event-stream"):
            return self._listen(events_of(reply.body))
        body = reply.json
        assert body["object"] == "chat.completion", reply.body
        message = body["choices"][0]["message"]
        calls = [
            Called(call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or []
        ]
        return Heard(
            body["id"],
            body["model"],
            message["content"] or "",
            message.get("reasoning_content") or "",
            calls=calls,
            stop=self._stop(body["choices"][0]["finish_reason"]),
            usage=body["usage"],
        )

    def error_of(self, event: Any) -> str:
        """The message of an error."""
        assert set(event["error"]) >= {"message", "type", "param", "code"}, event
        return str(event["error"]["message"])

    @staticmethod
    def _stop(reason: str) -> str:
        return {"stop": "end", "tool_calls": "tools", "length": "length", "content_filter": "refusal"}[reason]

    def _listen(self, events: list[Any]) -> Heard:
        assert events[-1] == "[DONE]", events[-1]
        heard, chunks = Heard(), events[:-1]
        heard.id, heard.model = chunks[0]["id"], chunks[0]["model"]
        assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
        for chunk in chunks:
            assert chunk["object"] == "chat.completion.chunk"
            assert chunk["id"] == heard.id
            heard.usage = chunk.get("usage") or heard.usage
            if not chunk["choices"]:
                assert chunk is chunks[-1], "usage must be the last chunk"
                continue
            choice = chunk["choices"][0]
            self._add(heard, choice["delta"])
            if choice["finish_reason"]:
                assert heard.stop == "", "two finish reasons"
                heard.stop = self._stop(choice["finish_reason"])
        return heard

    @staticmethod
    def _add(heard: Heard, delta: dict[str, Any]) -> None:
        heard.text += delta.get("content") or ""
        heard.thinking += delta.get("reasoning_content") or ""
        for part in delta.get("tool_calls") or []:
            if part["index"] == len(heard.calls):
                heard.calls.append(Called(part["id"], part["function"]["name"]))
            heard.calls[part["index"]].arguments += part["function"].get("arguments") or ""


MESSAGES = Messages()
CHAT = ChatCompletions()
DIALECTS: tuple[Dialect, ...] = (MESSAGES, CHAT)
