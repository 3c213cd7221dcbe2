"""The dated rules seen from outside: what a client asks of one model is sent in the form that the serving model takes."""

from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import Pair


def test_row_068_a_cheaper_model_gets_the_thinking_that_it_knows(to_anthropic: Pair) -> None:
    """Claude Code asks its great model for adaptive thinking; a tier of small models would refuse the words."""
    request = MESSAGES.ask("hi", thinking={"type": "adaptive"}, max_tokens=8000)
    reply = to_anthropic.send(request)
    assert to_anthropic.upstream.chats[0].json["thinking"] == {"type": "enabled", "budget_tokens": 4000}
    assert reply.headers["x-lynkr-losses"] == "adaptive thinking, a budget in its place"
    assert MESSAGES.heard(reply).text == "pong"


def test_row_126_flags_of_another_login_stay_here(to_anthropic: Pair) -> None:
    """What means something to the serving model travels, what it would refuse does not."""
    to_anthropic.send(
        MESSAGES.ask("hi"), {"anthropic-beta": "oauth-2025-04-20,context-1m-2025-08-07,interleaved-thinking-2025-05-14"}
    )
    assert to_anthropic.upstream.chats[0].headers["anthropic-beta"] == "interleaved-thinking-2025-05-14"


def test_row_119_an_older_model_gets_a_later_system_turn_where_it_knows_it(to_anthropic: Pair) -> None:
    """Claude Code puts system turns into the conversation if the model that it asked for knows them; the serving one may not."""
    request = MESSAGES.ask("hi", system="Be brief.")
    request["messages"].append({"role": "system", "content": "Agents: none."})
    reply = to_anthropic.send(request)
    sent = to_anthropic.upstream.chats[0].json
    assert [message["role"] for message in sent["messages"]] == ["user"]
    assert [block["text"] for block in sent["system"]] == ["Be brief.", "Agents: none."]
    assert reply.headers["x-lynkr-losses"] == "the place of a later system turn"
