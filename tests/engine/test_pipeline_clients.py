"""What real clients do that the matrix met and a proxy must survive; each test is one such find, without the client."""

from tests.fakes.dialects import CHAT
from tests.fakes.lab import Pair

RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


def test_a_thought_that_the_client_gives_back(to_openai: Pair) -> None:
    """pydantic-ai and the AI SDK send `reasoning_content` back that they got from us or from others. OpenAI refuses it."""
    request = CHAT.ask("What is in the file?")
    request["messages"] += [
        {"role": "assistant", "content": "I will look.", "reasoning_content": "I need the file."},
        {"role": "user", "content": "Do so."},
    ]
    assert to_openai.hear(request).text == "pong"


def test_a_picture_that_a_tool_gave(to_openai: Pair) -> None:
    """Qwen Code puts the picture that its tool read into the tool's message, which OpenAI takes from nobody: it must move on."""
    request = CHAT.ask("What is in the picture?", tools=["read_file"])
    call = {"id": "call_1", "type": "function", "function": {"name": "read_file", "arguments": '{"path": "dot.png"}'}}
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{RED_DOT}"}}
    request["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": [picture]},
    ]
    assert to_openai.hear(request).text == "pong"
    assert RED_DOT in to_openai.upstream.chats[-1].body.decode()
