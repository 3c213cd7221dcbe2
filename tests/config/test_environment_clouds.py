"""Lynkr's variables of providers in the cloud: projects, regions, service accounts and principals."""

import json
from pathlib import Path

import pytest

from lynkr_desktop.config.environment import apply_environment, with_secret_files
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Settings, Target
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.startup import known_names


def real(**env: str) -> tuple[Settings, dict[str, Secret], list[str]]:
    return apply_environment(Settings(), env, known_names())


def test_a_project_makes_an_account_of_vertex() -> None:
    settings, secrets, notices = real(
        MODEL_PROVIDER="vertex:claude-sonnet-5", VERTEX_PROJECT="my-project", VERTEX_REGION="us-east5"
    )
    account = settings.account("vertex")
    assert account is not None
    assert account.base_url == "https://us-east5-aiplatform.googleapis.com/v1/projects/my-project/locations/us-east5"
    assert (account.provider, secrets, notices) == ("vertex", {}, [])
    assert settings.routing.direct == Target("vertex", "claude-sonnet-5")


@pytest.mark.parametrize(
    ("region", "host"),
    [("", "aiplatform.googleapis.com"), ("global", "aiplatform.googleapis.com"), ("eu", "aiplatform.eu.rep.googleapis.com")],
)
def test_regions_of_vertex_have_hosts_of_their_own(region: str, host: str) -> None:
    settings, _, _ = real(VERTEX_PROJECT="my-project", VERTEX_REGION=region)
    account = settings.account("vertex")
    assert account is not None
    assert account.base_url == f"https://{host}/v1/projects/my-project/locations/{region or 'global'}"


@pytest.mark.parametrize(
    ("env", "account"),
    [
        ({"VERTEX_API_KEY": "k"}, "google"),  # as in the original, where it means the Gemini API
        ({"VERTEX_API_KEY": "k", "GOOGLE_CLOUD_PROJECT": "my-project"}, "google"),
        ({"GOOGLE_CLOUD_PROJECT": "my-project"}, "vertex"),
        ({"ANTHROPIC_VERTEX_PROJECT_ID": "my-project", "CLOUD_ML_REGION": "us-east5"}, "vertex"),
        ({"VERTEX_API_KEY": "k", "VERTEX_PROJECT": "my-project"}, "vertex"),
    ],
)
def test_what_the_name_vertex_means(env: dict[str, str], account: str) -> None:
    settings, _, _ = real(MODEL_PROVIDER="vertex", **env)
    assert settings.routing.direct is not None
    assert settings.routing.direct.account == account


def test_a_project_that_other_programs_use_makes_no_account() -> None:
    assert real(GOOGLE_CLOUD_PROJECT="my-project", GOOGLE_CLOUD_LOCATION="us-east5")[0].accounts == ()


@pytest.mark.parametrize(("name", "value"), [("VERTEX_PROJECT", "evil.example/x"), ("VERTEX_REGION", "evil.example")])
def test_a_part_of_an_address_cannot_lead_elsewhere(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        real(**{"MODEL_PROVIDER": "vertex", "VERTEX_PROJECT": "my-project", name: value})
    assert caught.value.field == name


def test_a_service_account_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text('{\n "type": "service_account",\n "private_key": "a b"\n}\n')
    env = {"VERTEX_PROJECT": "my-project", "GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    _, secrets, _ = apply_environment(Settings(), with_secret_files(env, known_names()), known_names())
    assert json.loads(secrets["vertex"].reveal())["private_key"] == "a b"


def test_the_parts_of_a_principal_are_one_key() -> None:
    parts = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    base = {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com", "MODEL_PROVIDER": "azure-openai"}
    _, secrets, notices = real(**base, **parts)
    assert json.loads(secrets["azure-openai"].reveal()) == {"tenant": "t", "appId": "c", "password": "s"}
    assert notices == []
    assert real(**base, **parts, AZURE_OPENAI_API_KEY="k")[1] == {"azure-openai": Secret("k")}
    assert real(**parts)[0].accounts == ()
