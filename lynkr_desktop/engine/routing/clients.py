"""Which program is calling. One table of profiles, and how each is told from its headers and tools. No scoring here.

A coding program sends the same tools with every request, so its own tools say nothing about how hard a request is. Each
profile lists them; only tools beyond the list count. Headers and tool names as seen on the wire in November 2026.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

TOOL_SHARE: Final = 0.8  # so much of a request's tools must be a profile's own to recognise the client by them
_FEWEST_TOOLS: Final = 4  # fewer tools than this recognise nobody


class ClientProfile(msgspec.Struct, frozen=True):
    """One client program. `title` is for the user.

    `agents` are beginnings of the user-agent or of a word in it, `markers` pairs of a header and a substring of its value
    (empty: the header is enough), all lower case. `tools` is what the program always brings. `is_library` marks what other
    programs are built with: such a profile gives way to any other that fits.
    """

    id: str
    title: str
    agents: tuple[str, ...] = ()
    markers: tuple[tuple[str, str], ...] = ()
    tools: frozenset[str] = frozenset()
    is_library: bool = False


def _tools(names: str) -> frozenset[str]:
    return frozenset(names.split())


_PROFILES: Final = (
    ClientProfile(
        "claude-code",
        "Claude Code",
        agents=("claude-cli/", "claude-code/"),
        markers=(("x-claude-code-session-id", ""),),
        tools=_tools(
            "Task Agent Bash Glob Grep LS Read Edit MultiEdit Write NotebookRead NotebookEdit WebFetch WebSearch TodoRead "
            "TodoWrite BashOutput KillBash KillShell SlashCommand Skill ExitPlanMode EnterPlanMode AskUserQuestion "
            "ToolSearch ListAgents ReportFindings ScheduleWakeup Workflow DeferredToolPlaceholder TaskCreate TaskUpdate TaskList "
            "TaskGet TaskOutput TaskStop SendMessage ListMcpResourcesTool ReadMcpResourceTool LSP Monitor CronCreate CronDelete "
            "CronList EnterWorktree ExitWorktree PushNotification RemoteTrigger"
        ),
    ),
    ClientProfile(
        "codex",
        "Codex",
        agents=("codex_", "codex-", "codex/"),
        markers=(("originator", "codex"), ("x-codex-window-id", "")),
        tools=_tools(
            "exec_command write_stdin request_user_input apply_patch view_image get_goal create_goal update_goal tool_search "
            "web_search shell local_shell shell_command update_plan list_mcp_resources list_mcp_resource_templates "
            "read_mcp_resource spawn_agent send_input wait close_agent unified_exec multi_agent_v1__spawn_agent "
            "multi_agent_v1__send_input multi_agent_v1__wait_agent multi_agent_v1__close_agent multi_agent_v1__resume_agent"
        ),
    ),
    ClientProfile(
        "opencode",
        "opencode",
        agents=("opencode/",),
        markers=(("x-title", "opencode"), ("http-referer", "opencode.ai")),
        tools=_tools(
            "bash edit glob grep read skill task todowrite todoread webfetch websearch codesearch write list patch multiedit "
            "invalid question lsp batch plan_enter plan_exit apply_patch"
        ),
    ),
    ClientProfile(
        "kilo",
        "Kilo Code",
        agents=("kilo-code/", "kilocode/"),
        markers=(("x-kilocode-version", ""), ("x-title", "kilo"), ("http-referer", "kilocode.ai")),
    ),
    ClientProfile(
        "roo",
        "Roo Code",
        agents=("roocode/", "roo-code/"),
        markers=(("x-title", "roo code"), ("http-referer", "roo-code")),
        tools=_tools(
            "read_file write_to_file apply_diff insert_content search_and_replace search_files list_files "
            "list_code_definition_names execute_command browser_action use_mcp_tool access_mcp_resource "
            "ask_followup_question attempt_completion switch_mode new_task fetch_instructions codebase_search "
            "update_todo_list run_slash_command generate_image"
        ),
    ),
    ClientProfile(
        "cline",
        "Cline",
        agents=("cline/",),
        markers=(("x-title", "cline"), ("http-referer", "cline.bot"), ("x-cline-version", "")),
        tools=_tools(
            "execute_command read_file write_to_file replace_in_file search_files list_files list_code_definition_names "
            "browser_action use_mcp_tool access_mcp_resource ask_followup_question attempt_completion plan_mode_respond "
            "act_mode_respond new_task load_mcp_documentation web_fetch web_search focus_chain condense new_rule report_bug"
        ),
    ),
    ClientProfile(
        "continue",
        "Continue",
        agents=("continue/", "continuedev"),
        markers=(("x-title", "continue"), ("http-referer", "continue.dev")),
        tools=_tools(
            "Read Write List Bash Fetch Checklist CheckBackgroundJob AskQuestion Edit MultiEdit Exit Skills Search Diff Status "
            "Subagent UploadArtifact ReportFailure"
        ),
    ),
    ClientProfile(
        "qwen-code",
        "Qwen Code",
        agents=("qwencode/", "qwen-code/"),
        tools=_tools(
            "list_directory read_file read_many_files grep_search glob edit write_file web_fetch web_search run_shell_command "
            "save_memory todo_write task exit_plan_mode skill lsp ask_user_question agent"
        ),
    ),
    ClientProfile(
        "gemini-cli",
        "Gemini CLI",
        agents=("geminicli", "gemini-cli"),
        tools=_tools(
            "list_directory read_file read_many_files search_file_content glob replace write_file web_fetch google_web_search "
            "run_shell_command save_memory write_todos delegate_to_agent activate_skill update_topic grep_search "
            "list_background_processes read_background_output enter_plan_mode exit_plan_mode invoke_agent"
        ),
    ),
    ClientProfile("aider", "aider", agents=("aider",), markers=(("x-title", "aider"), ("http-referer", "aider.chat"))),
    ClientProfile(
        "cursor",
        "Cursor",
        agents=("cursor/",),
        markers=(("x-cursor-client-version", ""), ("http-referer", "cursor.")),
        tools=_tools(
            "codebase_search read_file run_terminal_cmd list_dir grep_search grep edit_file search_replace file_search "
            "delete_file reapply fetch_rules web_search todo_write create_diagram edit_notebook read_lints glob_file_search "
            "fetch_pull_request update_memory"
        ),
    ),
    ClientProfile(
        "zed",
        "Zed",
        agents=("zed/",),
        markers=(("x-title", "zed"), ("http-referer", "zed.dev")),
        tools=_tools(
            "copy_path create_directory create_file delete_path diagnostics edit_file fetch find_path grep list_directory "
            "move_path now open read_file terminal thinking web_search spawn_agent save_file restore_file_from_disk"
        ),
    ),
    ClientProfile(
        "goose",
        "goose",
        agents=("goose/", "goose-"),
        markers=(("x-title", "goose"), ("http-referer", "goose")),
        tools=_tools(
            "developer__shell developer__text_editor developer__analyze developer__screen_capture developer__list_windows "
            "developer__image_processor todo__todo_write todo__todo_read platform__search_available_extensions "
            "platform__manage_extensions platform__manage_schedule platform__read_resource platform__list_resources "
            "extensionmanager__search_available_extensions extensionmanager__manage_extensions subagent__execute_task "
            "dynamic_task__create_task shell text_editor analyze"
        ),
    ),
    ClientProfile("copilot", "GitHub Copilot", agents=("githubcopilot", "copilot-")),
    ClientProfile(
        "crush",
        "Crush",
        agents=("crush",),
        tools=_tools(
            "bash download edit multiedit fetch glob grep ls sourcegraph view write agent diagnostics job_output job_kill todos"
        ),
    ),
    ClientProfile("open-webui", "Open WebUI", markers=(("x-title", "open webui"), ("x-openwebui-user-id", ""))),
    ClientProfile("llm", "llm", agents=("llm/",)),
    ClientProfile("langchain", "LangChain", agents=("langchain",), is_library=True),
    ClientProfile("litellm", "LiteLLM", agents=("litellm",), is_library=True),
    ClientProfile("ai-sdk", "AI SDK", agents=("ai-sdk/",), is_library=True),
    ClientProfile("openai-sdk", "OpenAI SDK", agents=("openai/", "asyncopenai/"), is_library=True),
    ClientProfile("anthropic-sdk", "Anthropic SDK", agents=("anthropic/", "asyncanthropic/"), is_library=True),
    ClientProfile("gemini-sdk", "Google Gen AI SDK", agents=("google-genai-sdk",), is_library=True),
    ClientProfile("curl", "curl", agents=("curl/",), is_library=True),
    ClientProfile("httpie", "HTTPie", agents=("httpie/",), is_library=True),
    ClientProfile("python", "Python script", agents=("python-requests/", "python-httpx/", "aiohttp/"), is_library=True),
)

CLIENTS: Final[dict[str, ClientProfile]] = {profile.id: profile for profile in _PROFILES}
_PROGRAMS: Final = tuple(profile for profile in _PROFILES if not profile.is_library)
_LIBRARIES: Final = tuple(profile for profile in _PROFILES if profile.is_library)
_MARKER_HEADERS: Final = tuple(sorted({name for profile in _PROGRAMS for name, _ in profile.markers}))


def client_of(headers: Mapping[str, str], tool_names: Iterable[str]) -> str:
    """The id of the client's profile, empty if nobody's. Header names are lower case.

    A program's own header or user-agent decides, then its tools, then the library that it was built with.
    """
    return _client_of(headers.get("user-agent", ""), tuple(map(headers.get, _MARKER_HEADERS)), tuple(tool_names))


@functools.lru_cache(maxsize=256)
def _client_of(user_agent: str, marker_values: tuple[str | None, ...], tool_names: tuple[str, ...]) -> str:
    """A program says the same of itself in each of its requests."""
    agent = user_agent.lower()
    headers = {name: value.lower() for name, value in zip(_MARKER_HEADERS, marker_values, strict=True) if value is not None}
    for profile in _PROGRAMS:
        if _is_agent(profile, agent) or _is_marked(profile, headers):
            return profile.id
    by_tools = _client_by_tools(frozenset(tool_names))
    if by_tools:
        return by_tools
    return next((profile.id for profile in _LIBRARIES if _is_agent(profile, agent)), "")


def _is_agent(profile: ClientProfile, agent: str) -> bool:
    spaced = f" {agent}"
    return any(f" {piece}" in spaced for piece in profile.agents)


def _is_marked(profile: ClientProfile, headers: Mapping[str, str]) -> bool:
    return any(name in headers and piece in headers[name] for name, piece in profile.markers)


def _client_by_tools(names: frozenset[str]) -> str:
    if len(names) < _FEWEST_TOOLS:
        return ""
    best, share = "", 0.0
    for profile in _PROGRAMS:
        found = len(names & profile.tools) / len(names)
        if found >= TOOL_SHARE and found > share:
            best, share = profile.id, found
    return best


@functools.lru_cache(maxsize=256)
def extra_tools(client: str, tool_names: tuple[str, ...]) -> tuple[str, ...]:
    """The tools beyond the client's own fixed list, in their order."""
    profile = CLIENTS.get(client)
    own = profile.tools if profile else frozenset()
    return tuple(name for name in tool_names if name not in own)
