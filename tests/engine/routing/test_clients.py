"""Programs are told from their headers, else from their tools, else by the library that they were built with."""

import pytest

from lynkr_desktop.engine.routing.clients import CLIENTS, client_of, extra_tools


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({"user-agent": "claude-cli/2.1.330 (external, sdk-cli)"}, "claude-code"),
        ({"user-agent": "node-fetch", "x-claude-code-session-id": "1"}, "claude-code"),
        ({"user-agent": "codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm"}, "codex"),
        ({"user-agent": "other", "originator": "codex_vscode"}, "codex"),
        ({"user-agent": "opencode/1.18.33 ai-sdk/provider-utils/4.0.23 runtime/bun/1.3.14"}, "opencode"),
        ({"user-agent": "OpenAI/JS 6.49.0", "x-title": "Cline"}, "cline"),
        ({"user-agent": "Kilo-Code/4.1.0"}, "kilo"),
        ({"user-agent": "OpenAI/Python 1.0", "http-referer": "https://aider.chat", "x-title": "Aider"}, "aider"),
        ({"user-agent": "QwenCode/0.5.0 (linux; x64)"}, "qwen-code"),
        ({"user-agent": "GeminiCLI/0.9/gemini-2.5-pro (linux; x64)"}, "gemini-cli"),
        ({"user-agent": "litellm/1.81.10"}, "litellm"),
        ({"user-agent": "ai-sdk/anthropic/3.0.139 ai-sdk/provider-utils/4.0.64"}, "ai-sdk"),
        ({"user-agent": "Anthropic/Python 1.17.0"}, "anthropic-sdk"),
        ({"user-agent": "AsyncOpenAI/Python 3.54.0"}, "openai-sdk"),
        ({"user-agent": "curl/8.5.0"}, "curl"),
        ({"user-agent": "something else"}, ""),
        ({}, ""),
    ],
)
def test_by_headers(headers: dict[str, str], client: str) -> None:
    assert client_of(headers, ()) == client


def test_by_tools_where_the_user_agent_tells_only_the_library() -> None:
    tools = ("Read", "Write", "List", "Bash", "Fetch", "Checklist", "CheckBackgroundJob", "AskQuestion", "Edit", "Exit", "Skills")
    assert client_of({"user-agent": "OpenAI/JS 5.23.2"}, tools) == "continue"
    assert client_of({"user-agent": "node-fetch"}, tools) == "continue"


def test_a_few_common_tools_recognise_nobody() -> None:
    assert client_of({"user-agent": "OpenAI/JS 5.23.2"}, ("read_file", "web_search")) == "openai-sdk"
    assert client_of({}, ("query_orders", "refund", "cancel", "ship", "Read")) == ""


def test_own_tools_do_not_count_and_foreign_ones_do() -> None:
    assert extra_tools("codex", ("exec_command", "apply_patch", "deploy")) == ("deploy",)
    assert extra_tools("", ("Read", "deploy")) == ("Read", "deploy")


def test_every_profile_has_a_title_and_a_way_to_be_recognised() -> None:
    for name, profile in CLIENTS.items():
        assert profile.id == name
        assert profile.title
        assert profile.agents or profile.markers or profile.tools
        assert all(piece == piece.lower() for piece in profile.agents)
        assert all(header == header.lower() and value == value.lower() for header, value in profile.markers)
