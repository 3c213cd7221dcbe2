"""Requests to Amazon: which region they are signed for, and what is said where they cannot be signed."""

import sys
from typing import Any

import pytest

from lynkr_desktop.config.environment import apply_environment
from lynkr_desktop.config.settings import Account, Settings
from lynkr_desktop.engine.providers import aws
from lynkr_desktop.engine.providers.auth import chat_url
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.errors import ConfigError, FailureKind, UpstreamError
from lynkr_desktop.startup import known_names

BEDROCK = PROVIDERS["bedrock"]


class Unset:
    """A session of a machine that is set to no region."""

    def get_config_variable(self, name: str) -> Any:
        """Nothing."""
        assert name == "region"


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://bedrock-runtime.eu-central-1.amazonaws.com/model/m/converse", "eu-central-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/x", "us-gov-west-1"),
        ("https://vpce-0a-1b.bedrock-runtime.ap-south-1.vpce.amazonaws.com/x", "ap-south-1"),
        ("https://bedrock.gate.example/x", "us-east-1"),
    ],
)
def test_row_188_the_region_is_the_addresss_own(url: str, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_BEDROCK_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert aws.region_of(url, Unset()) == region
    monkeypatch.setenv("AWS_REGION", "sa-east-1")
    assert aws.region_of(url, Unset()) == (region if "bedrock-runtime" in url else "sa-east-1")


def test_the_region_of_the_environment_is_in_the_address() -> None:
    env = {"MODEL_PROVIDER": "bedrock", "AWS_REGION": "us-west-2", "AWS_BEDROCK_REGION": "eu-west-3"}
    settings, _, notices = apply_environment(Settings(), env, known_names())
    account = settings.account("bedrock")
    assert account is not None
    assert account.base_url == "https://bedrock-runtime.eu-west-3.amazonaws.com"
    assert notices == []
    assert settings.routing.direct is not None
    assert settings.routing.direct.model == BEDROCK.default_model
    assert apply_environment(Settings(), {"AWS_REGION": "us-west-2"}, known_names())[0].accounts == ()


@pytest.mark.parametrize("address", ["", "https://bedrock-runtime.eu-west-3.amazonaws.com"])
def test_a_region_moves_no_account_that_the_user_made(address: str) -> None:
    """Its key was entered for its address, and this variable is set for many other programs."""
    saved = Settings(accounts=(Account("bedrock", "bedrock", base_url=address),))
    assert apply_environment(saved, {"AWS_REGION": "us-west-2"}, known_names())[0].accounts == saved.accounts


@pytest.mark.parametrize("region", ["evil.example/", "eu", "eu-west-1.evil.example"])
def test_a_region_cannot_lead_elsewhere(region: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_environment(Settings(), {"MODEL_PROVIDER": "bedrock", "AWS_REGION": region}, known_names())
    assert caught.value.field == "AWS_REGION"


def test_addresses_hold_the_models_id_quoted_once() -> None:
    arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude:0"
    root = "https://bedrock-runtime.us-east-1.amazonaws.com/model"
    quoted = "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.anthropic.claude%3A0"
    assert chat_url(BEDROCK, "", arn) == f"{root}/{quoted}/converse"
    assert chat_url(BEDROCK, f"{root}/m/converse-stream", arn, is_streamed=True) == f"{root}/{quoted}/converse-stream"


async def test_a_missing_part_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.eventstream", None)
    with pytest.raises(UpstreamError) as caught:
        await aws.authorized("https://bedrock-runtime.us-east-1.amazonaws.com/x", {"content-type": "application/json"}, b"{}")
    assert caught.value.kind is FailureKind.AUTH
    assert "lynkr-desktop[bedrock]" in caught.value.detail


async def test_a_profile_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    aws._session.cache_clear()
    with pytest.raises(UpstreamError, match="cannot be used") as caught:
        await aws.authorized("https://bedrock-runtime.us-east-1.amazonaws.com/x", {"content-type": "application/json"}, b"{}")
    aws._session.cache_clear()
    assert "nobody" in caught.value.detail
