"""How each program is pointed at us, as a table, and which of them are on this machine. Edits no file of theirs.

The formats are those that the programs read in November 2026. A new program is one entry here.
"""

import os
import shutil
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MODEL: Final = "lynkr-auto"
_USUAL_PLACES: Final = (".local/bin", ".npm-global/bin", ".bun/bin", ".cargo/bin", ".opencode/bin", ".claude/local", "bin")
_SYSTEM_PLACES: Final = ("/usr/local/bin", "/opt/homebrew/bin")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `code` holds ${url} and ${token}; `variables` are set in a terminal before it."""

    where: str
    code: str = ""
    variables: tuple[tuple[str, str], ...] = ()

    def text(self, url: str, token: str, *, is_powershell: bool) -> str:
        """The lines to paste."""
        form = '$$env:{} = "{}"' if is_powershell else "export {}={}"
        lines = [form.format(name, value) for name, value in self.variables]
        return string.Template("\n".join([*lines, *([self.code] if self.code else [])])).substitute(url=url, token=token)


@dataclass(frozen=True, slots=True)
class Guide:
    """A program. `id` is what the ledger calls it; `commands` and `folders` (below the home folder) tell that it is here.

    A library has neither: nobody can tell whether it is here.
    """

    id: str
    title: str
    steps: tuple[Step, ...]
    note: str = ""
    commands: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def is_library(self) -> bool:
        """Is it something that programs are written with?"""
        return not self.commands and not self.folders


_TERMINAL: Final = "In a terminal"

GUIDES: Final = (
    Guide(
        "claude-code",
        "Claude Code",
        (Step(_TERMINAL, "claude", (("ANTHROPIC_BASE_URL", "${url}"), ("ANTHROPIC_AUTH_TOKEN", "${token}"))),),
        note="ANTHROPIC_API_KEY must not be set beside it. To make it last, put both into “env” of ~/.claude/settings.json.",
        commands=("claude",),
        folders=(".claude",),
    ),
    Guide(
        "codex",
        "Codex",
        (
            Step("At the top of ~/.codex/config.toml", f'model = "{MODEL}"\nmodel_provider = "lynkr"'),
            Step(
                "At its end",
                '[model_providers.lynkr]\nname = "Lynkr"\nbase_url = "${url}/v1"\nenv_key = "LYNKR_TOKEN"\n'
                'wire_api = "responses"',
            ),
            Step(_TERMINAL, "codex", (("LYNKR_TOKEN", "${token}"),)),
        ),
        note="Codex lists past sessions by provider: those of another one are hidden while this one is set, not lost.",
        commands=("codex",),
        folders=(".codex",),
    ),
    Guide(
        "opencode",
        "OpenCode",
        (
            Step(
                "In ~/.config/opencode/opencode.json",
                f'{{\n  "model": "lynkr/{MODEL}",\n  "provider": {{\n    "lynkr": {{\n      "npm": "@ai-sdk/openai-compatible",\n'
                '      "name": "Lynkr",\n      "options": { "baseURL": "${url}/v1", "apiKey": "{env:LYNKR_TOKEN}" },\n'
                f'      "models": {{ "{MODEL}": {{ "name": "Lynkr" }} }}\n    }}\n  }}\n}}',
            ),
            Step(_TERMINAL, "opencode", (("LYNKR_TOKEN", "${token}"),)),
        ),
        commands=("opencode",),
        folders=(".config/opencode",),
    ),
    Guide(
        "continue",
        "Continue",
        (
            Step(
                "In ~/.continue/config.yaml, under “models:”",
                f"  - name: Lynkr\n    provider: openai\n    model: {MODEL}\n    apiBase: ${{url}}/v1\n    apiKey: ${{token}}\n"
                "    roles: [chat, edit, apply]\n    capabilities: [tool_use]",
            ),
        ),
        note="It reads the file again when you save it.",
        commands=("cn",),
        folders=(".continue",),
    ),
    Guide(
        "cline",
        "Cline",
        (
            Step(
                "In the editor, as provider “OpenAI Compatible”: its base URL, key and model", f"${{url}}/v1\n${{token}}\n{MODEL}"
            ),
            Step("Or for its command line", f"cline auth openai-compatible -b ${{url}}/v1 -k ${{token}} -m {MODEL}"),
        ),
        commands=("cline",),
        folders=(".cline",),
    ),
    Guide(
        "zed",
        "Zed",
        (
            Step(
                "In ~/.config/zed/settings.json",
                '"language_models": {\n  "openai_compatible": {\n    "Lynkr": {\n      "api_url": "${url}/v1",\n'
                f'      "available_models": [\n        {{ "name": "{MODEL}", "display_name": "Lynkr", "max_tokens": 200000 }}\n'
                "      ]\n    }\n  }\n}",
            ),
            Step("In Zed's settings of language models, as Lynkr's key", "${token}"),
        ),
        commands=("zed", "zeditor"),
        folders=(".config/zed",),
    ),
    Guide(
        "aider",
        "Aider",
        (
            Step(
                _TERMINAL,
                f"aider --model openai/{MODEL} --no-show-model-warnings",
                (("OPENAI_API_BASE", "${url}/v1"), ("OPENAI_API_KEY", "${token}")),
            ),
        ),
        commands=("aider",),
    ),
    Guide(
        "curl",
        "curl",
        (
            Step(
                _TERMINAL,
                'curl ${url}/v1/messages -H "x-api-key: ${token}" -H "content-type: application/json" \\\n'
                f"""  -d '{{"model": "{MODEL}", "max_tokens": 100, "messages": [{{"role": "user", "content": "Hello"}}]}}'""",
            ),
        ),
        commands=("curl",),
    ),
    Guide(
        "openai-sdk",
        "OpenAI SDK",
        (
            Step(
                "In Python",
                'from openai import OpenAI\n\nclient = OpenAI(base_url="${url}/v1", api_key="${token}")\n'
                f'answer = client.chat.completions.create(\n    model="{MODEL}",\n'
                '    messages=[{"role": "user", "content": "Hello"}],\n)\n'
                "print(answer.choices[0].message.content)",
            ),
            Step("Or for what is written already", "", (("OPENAI_BASE_URL", "${url}/v1"), ("OPENAI_API_KEY", "${token}"))),
        ),
    ),
    Guide(
        "anthropic-sdk",
        "Anthropic SDK",
        (
            Step(
                "In Python",
                'from anthropic import Anthropic\n\nclient = Anthropic(base_url="${url}", api_key="${token}")\n'
                f'answer = client.messages.create(\n    model="{MODEL}", max_tokens=100,\n'
                '    messages=[{"role": "user", "content": "Hello"}],\n)\nprint(answer.content[0].text)',
            ),
            Step("Or for what is written already", "", (("ANTHROPIC_BASE_URL", "${url}"), ("ANTHROPIC_API_KEY", "${token}"))),
        ),
    ),
)


def find_programs(home: Path, search_path: str, guides: Sequence[Guide] = GUIDES) -> Mapping[str, str]:
    """Where each program is that is here, by its id: its command, or its folder. Reads folders, so for a worker thread.

    A program that was started from a dock sees only a short search path, so the usual places are searched too.
    """
    places = [*search_path.split(os.pathsep), *_SYSTEM_PLACES, *(str(home / place) for place in _USUAL_PLACES)]
    path = os.pathsep.join(place for place in places if place)
    found: dict[str, str] = {}
    for guide in guides:
        command = next((where for name in guide.commands if (where := shutil.which(name, path=path))), "")
        folder = next((home / name for name in guide.folders if (home / name).is_dir()), None)
        if command or folder:
            found[guide.id] = command or str(folder)
    return found
