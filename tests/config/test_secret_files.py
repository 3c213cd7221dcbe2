"""Secrets in files, as containers and service managers hand them over."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lynkr_desktop.config.environment import with_secret_files
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.startup import known_names
from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.upstream import Upstream


def read(**env: str) -> dict[str, str]:
    return with_secret_files(env, known_names())


@pytest.mark.parametrize("name", ["LYNKR_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"])
def test_a_secret_comes_from_its_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"  the-secret\r\n")
    assert read(**{f"{name}_FILE": str(file)})[name] == "the-secret"


def test_only_known_secrets_are_read_from_files(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x")
    env = {"SOME_FILE": str(file), "PORT_FILE": str(file), "OPENAI_MODEL_FILE": str(file), "OPENAI_API_KEY_FILE": " "}
    assert read(**env) == env


def test_two_places_for_one_secret_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        read(OPENAI_API_KEY="canary-in-env", OPENAI_API_KEY_FILE=str(tmp_path / "secret"))
    assert refusal.value.field == "OPENAI_API_KEY_FILE"
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(
    "content", [None, b"", b" \n", b"\xff\xfe", b"x" * 20_000], ids=["missing", "empty", "blank", "binary", "long"]
)
def test_what_is_no_secret_is_told_with_its_variable(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as refusal:
        read(LYNKR_TOKEN_FILE=str(file))
    assert refusal.value.field == "LYNKR_TOKEN_FILE"
    assert str(file) in str(refusal.value)


def test_the_program_serves_with_a_key_from_a_file(
    headless: Callable[..., Program], openai_upstream: Upstream, tmp_path: Path
) -> None:
    """The file lies outside of the program's home, which at the end must not hold the key."""
    file = tmp_path / "key"
    file.write_text(openai_upstream.key + "\n")
    env = account(openai_upstream) | {"OPENAI_API_KEY": "", "OPENAI_API_KEY_FILE": str(file)}
    program = headless(MODEL_PROVIDER="openai", **env)
    assert Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi")).status == 200
    program.check_end((openai_upstream.key,))
