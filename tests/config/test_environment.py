"""Lynkr's variables: what an existing `.env` means here."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.environment import (
    ProviderNames,
    apply_environment,
    base_address,
    origin,
    read_env_file,
)
from lynkr_desktop.config.secrets import ADMIN_REF, TOKEN_REF, Secret
from lynkr_desktop.config.settings import Account, AccountKey, Mode, ModeKind, ModelOverride, Settings, Target, Tier, TierTargets
from lynkr_desktop.engine.providers import auth
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.startup import known_names


def names(provider: str, base: str, *, aliases: tuple[str, ...] = (), is_local: bool = False, path: str = "") -> ProviderNames:
    start = provider.upper().replace("-", "_")
    return ProviderNames(
        id=provider,
        aliases=aliases,
        key=f"{start}_API_KEY",
        model=f"{start}_MODEL",
        endpoint=f"{start}_ENDPOINT",
        base=f"{start}_API_BASE",
        chat_path=path or "/v1/chat/completions",
        default_base_url=base,
        is_local=is_local,
        needs_key=not is_local and provider != "openai-compatible",
        default_model=f"{provider}-default",
    )


KNOWN = {
    entry.id: entry
    for entry in (
        names("openai", "https://api.openai.com"),
        names("anthropic", "https://api.anthropic.com", aliases=("claude",), path="/v1/messages"),
        names("openrouter", "https://openrouter.ai/api"),
        names("ollama", "http://127.0.0.1:11434", is_local=True),
        names("openai-compatible", ""),
    )
}
FOUR = {
    "TIER_SIMPLE": "ollama:qwen2.5:7b",
    "TIER_MEDIUM": "openai:gpt-5-mini",
    "TIER_COMPLEX": "claude:claude-sonnet-4-5",
    "TIER_REASONING": "anthropic:claude-opus-4-5",
}
KEYS = {"OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-ant"}


def read(env: dict[str, str], settings: Settings | None = None) -> tuple[Settings, dict[str, Secret], list[str]]:
    return apply_environment(settings or Settings(), env, KNOWN)


def test_foreign_variables_change_nothing_and_say_nothing() -> None:
    env = {"HOME": "/x", "LANG": "C", "DATABRICKS_API_KEY": "dapi", "TIER_NONSENSE": "a:b", "OPENAI_API_KEY": "  ", "PORT": ""}
    assert read(env) == (Settings(), {}, [])


def test_one_local_provider_is_enough() -> None:
    settings, secrets, notices = read({"MODEL_PROVIDER": "ollama", "OLLAMA_MODEL": "qwen2.5:7b"})
    assert settings.routing.direct == Target("ollama", "qwen2.5:7b")
    assert settings.routing.mode == Mode(ModeKind.DIRECT)
    assert settings.accounts == (Account("ollama", "ollama", model="qwen2.5:7b"),)
    assert (secrets, notices) == ({}, [])


def test_all_four_tiers_turn_the_tiers_on() -> None:
    settings, secrets, notices = read({**FOUR, **KEYS, "MODEL_PROVIDER": "openai"})
    assert settings.routing.mode == Mode(ModeKind.AUTO)
    assert settings.routing.tiers == TierTargets(
        (Target("ollama", "qwen2.5:7b"),),
        (Target("openai", "gpt-5-mini"),),
        (Target("anthropic", "claude-sonnet-4-5"),),
        (Target("anthropic", "claude-opus-4-5"),),
    )
    assert secrets == {"openai": Secret("sk-openai"), "anthropic": Secret("sk-ant")}
    assert {account.id for account in settings.accounts} == {"openai", "anthropic", "ollama"}
    assert notices == []


def test_a_missing_tier_turns_them_off_with_a_warning() -> None:
    env = {**FOUR, **KEYS, "MODEL_PROVIDER": "openai", "OPENAI_MODEL": "gpt-5"}
    del env["TIER_MEDIUM"]
    settings, _, notices = read(env)
    assert settings.routing.mode == Mode(ModeKind.DIRECT)
    assert settings.routing.direct == Target("openai", "gpt-5")
    assert len(notices) == 1
    assert "TIER_MEDIUM is not set" in notices[0]
    assert "openai:gpt-5" in notices[0]


def test_a_missing_tier_may_come_from_the_file() -> None:
    saved = Settings(accounts=(Account("lab", "openai-compatible", base_url="http://10.0.0.7:8000"),))
    tiers = TierTargets().with_tier(Tier.MEDIUM, (Target("lab", "x"),))
    saved = dataclasses.replace(saved, routing=dataclasses.replace(saved.routing, tiers=tiers))
    env = {key: value for key, value in {**FOUR, **KEYS}.items() if key != "TIER_MEDIUM"}
    settings, _, notices = read(env, saved)
    assert settings.routing.mode == Mode(ModeKind.AUTO)
    assert settings.routing.tiers.medium == (Target("lab", "x"),)
    assert notices == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("openai:gpt-5", Target("openai", "gpt-5")),
        ("ollama:qwen2.5:7b", Target("ollama", "qwen2.5:7b")),
        ("CLAUDE:claude-haiku-4-5", Target("anthropic", "claude-haiku-4-5")),
        (" lab : qwen3:480b ", Target("lab", "qwen3:480b")),
        ("openrouter:deepseek/deepseek-chat:free", Target("openrouter", "deepseek/deepseek-chat:free")),
        ("qwen2.5:7b", Target("openrouter", "qwen2.5:7b")),
        ("deepseek/deepseek-chat:free", Target("openrouter", "deepseek/deepseek-chat:free")),
        ("some-model", Target("openrouter", "some-model")),
        ("ollama", Target("ollama", "ollama-default")),
        ("openai-compatible:m", Target("lab", "m")),  # the user's only account of that provider
    ],
)
def test_where_a_tier_goes(text: str, target: Target) -> None:
    saved = Settings(accounts=(Account("lab", "openai-compatible", base_url="http://10.0.0.7:8000"),))
    settings, _, _ = read({"MODEL_PROVIDER": "openrouter", "OPENROUTER_API_KEY": "k", "TIER_SIMPLE": text}, saved)
    assert settings.routing.tiers.simple == (target,)


def test_a_list_is_an_order_of_fallbacks_without_repeats() -> None:
    settings, _, _ = read({**KEYS, "TIER_SIMPLE": "openai:a, claude:b,, openai:a , ollama:c:7b"})
    assert settings.routing.tiers.simple == (Target("openai", "a"), Target("anthropic", "b"), Target("ollama", "c:7b"))


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"MODEL_PROVIDER": "databricks"}, "MODEL_PROVIDER"),
        ({"TIER_SIMPLE": "openia:gpt-5"}, "TIER_SIMPLE"),
        ({"TIER_REASONING": "qwen2.5:7b"}, "TIER_REASONING"),
        ({"FALLBACK_PROVIDER": "databricks"}, "FALLBACK_PROVIDER"),
    ],
)
def test_an_unknown_provider_is_named_with_the_known_ones(env: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(env)
    assert caught.value.field == variable
    assert variable in caught.value.title
    assert "anthropic, ollama, openai, openai-compatible, openrouter" in caught.value.detail


def test_a_bare_model_asks_for_its_provider() -> None:
    with pytest.raises(ConfigError, match="needs MODEL_PROVIDER"):
        read({"TIER_SIMPLE": "qwen2.5:7b"})


def test_the_fallback_has_a_model_of_its_own_and_may_be_local() -> None:
    settings, _, notices = read({**FOUR, **KEYS, "FALLBACK_PROVIDER": "ollama", "OLLAMA_MODEL": "tiny"})
    assert settings.routing.fallback == Target("ollama", "tiny")
    assert notices == []


def test_a_fallback_that_is_off_is_not_looked_at() -> None:
    settings, _, _ = read({"FALLBACK_ENABLED": "False", "FALLBACK_PROVIDER": "databricks"})
    assert not settings.routing.is_fallback_enabled
    assert settings.routing.fallback is None


def test_a_switch_is_on_or_off() -> None:
    with pytest.raises(ConfigError, match="FALLBACK_ENABLED"):
        read({"FALLBACK_ENABLED": "maybe"})


def test_a_missing_key_is_a_notice_not_a_failure() -> None:
    _, secrets, notices = read({"MODEL_PROVIDER": "openai"})
    assert secrets == {}
    assert notices == ["OPENAI_API_KEY is not set. openai needs a key."]


def test_an_account_of_the_file_keeps_what_the_environment_does_not_say() -> None:
    kept = Account(
        "openai", "openai", title="Work", model="gpt-5", keys=(AccountKey("https://api.openai.com"),), is_enabled=False
    )
    settings, _, notices = read({"MODEL_PROVIDER": "openai", "OPENAI_MODEL": "gpt-5-mini"}, Settings(accounts=(kept,)))
    assert settings.accounts == (dataclasses.replace(kept, model="gpt-5-mini"),)
    assert notices == []


def test_the_environment_changes_no_saved_settings() -> None:
    saved = Settings(accounts=(Account("openai", "openai"),))
    before = repr(saved)
    read({**FOUR, **KEYS, "PORT": "9000"}, saved)
    assert repr(saved) == before


def test_a_pinned_tier_stays_pinned() -> None:
    saved = Settings()
    saved = dataclasses.replace(saved, routing=dataclasses.replace(saved.routing, mode=Mode(ModeKind.PIN, Tier.COMPLEX)))
    assert read({**FOUR, **KEYS}, saved)[0].routing.mode == Mode(ModeKind.PIN, Tier.COMPLEX)


def test_a_key_is_bound_to_the_address_that_it_came_with() -> None:
    settings, _, _ = read({"OPENAI_API_KEY": "k", "OPENAI_ENDPOINT": "https://proxy.example.org:8443/openai/v1/chat/completions"})
    account = settings.account("openai")
    assert account is not None
    assert account.base_url == "https://proxy.example.org:8443/openai"
    assert account.keys[0].origin == "https://proxy.example.org:8443"
    account = read({"OPENAI_API_KEY": "k"})[0].account("openai")
    assert account is not None
    assert (account.base_url, account.keys[0].origin) == ("", "https://api.openai.com")


def test_a_new_address_does_not_move_the_saved_key() -> None:
    kept = Account("openai", "openai", keys=(AccountKey("https://api.openai.com"),))
    account = read({"OPENAI_ENDPOINT": "https://evil.example.org"}, Settings(accounts=(kept,)))[0].account("openai")
    assert account is not None
    assert account.keys[0].origin == "https://api.openai.com"


@pytest.mark.parametrize(
    ("address", "path", "base"),
    [
        ("http://localhost:11434", "/v1/chat/completions", "http://127.0.0.1:11434"),
        ("http://LOCALHOST:1234/v1/", "/v1/chat/completions", "http://127.0.0.1:1234"),
        ("http://localhost/v1/chat/completions/", "/v1/chat/completions", "http://127.0.0.1"),
        ("https://localhost:443/v1", "/v1/messages", "https://127.0.0.1"),
        ("http://[::1]:8080/v1", "/v1/chat/completions", "http://[::1]:8080"),
        ("https://openrouter.ai/api/v1/chat/completions", "/v1/chat/completions", "https://openrouter.ai/api"),
        ("https://openrouter.ai/api/v1", "/v1/chat/completions", "https://openrouter.ai/api"),
        ("https://api.anthropic.com/v1/messages", "/v1/messages", "https://api.anthropic.com"),
        ("https://host/llm", "/v1/chat/completions", "https://host/llm"),
        ("https://my.v1/v1", "/v1/chat/completions", "https://my.v1"),
    ],
)
def test_addresses_with_or_without_their_path(address: str, path: str, base: str) -> None:
    assert base_address(address, path, "X") == base


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(["h.example", "10.0.0.7:8000", "[::1]:9"]),
    st.sampled_from(["", "/a", "/a/b"]),
)
def test_a_base_address_stays_one(scheme: str, host: str, path: str) -> None:
    address = f"{scheme}://{host}{path}"
    assert base_address(address, "/v1/messages", "X") == address
    assert base_address(address + "/v1", "/v1/messages", "X") == address
    assert base_address(address + "/v1/messages", "/v1/messages", "X") == address
    assert address.startswith(origin(address))


@pytest.mark.parametrize(
    "address",
    ["https://API.openai.com", "https://host:443/x", "http://localhost:80/v1", "https://localhost.:8443", "http://[::1]:8080/a"],
)
def test_an_origin_is_spelt_as_the_engine_spells_it(address: str) -> None:
    """Else the engine would think that the key was entered for another address, and not use it."""
    assert origin(address) == auth.origin_of(address)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:11434",
        "ftp://host",
        "https://",
        "https://host:port",
        "https://user:canary@host/v1",
        "https://host/v1?key=canary",
        "http://host/api/chat",
        "https://host/v4/chat/completions",
        "http://[::1",
    ],
)
def test_an_address_that_cannot_be_used_is_named_but_not_quoted(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read({"OPENAI_ENDPOINT": address})
    assert caught.value.field == "OPENAI_ENDPOINT"
    assert "OPENAI_ENDPOINT" in caught.value.title
    assert "canary" not in str(caught.value)


def test_a_broken_address_in_the_file_does_not_stop_the_environment() -> None:
    saved = Settings(accounts=(Account("openai", "openai", base_url="http://host:port"),))
    account = read({"OPENAI_API_KEY": "k"}, saved)[0].account("openai")
    assert account is not None
    assert account.keys == (AccountKey(),)


def test_two_addresses_that_differ_are_told() -> None:
    settings, _, notices = read({"OLLAMA_ENDPOINT": "http://10.0.0.1:1", "OLLAMA_API_BASE": "http://10.0.0.2:1"})
    assert settings.accounts[0].base_url == "http://10.0.0.1:1"
    assert notices == ["OLLAMA_ENDPOINT and OLLAMA_API_BASE differ. OLLAMA_ENDPOINT is used."]


def test_a_provider_without_a_usual_address_needs_one() -> None:
    with pytest.raises(ConfigError, match="OPENAI_COMPATIBLE_ENDPOINT"):
        read({"MODEL_PROVIDER": "openai-compatible"})
    settings, _, _ = read({"MODEL_PROVIDER": "openai-compatible", "OPENAI_COMPATIBLE_ENDPOINT": "http://localhost:8000/v1"})
    assert settings.accounts[0].base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize("port", ["0", "65536", "http", "８０８１", "-1", "8081.0", "99999999999999999999"])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(ConfigError, match="PORT"):
        read({"PORT": port})


def test_port_and_token() -> None:
    settings, secrets, _ = read({"PORT": "9000", "LYNKR_TOKEN": "lynkr-fixed"})
    assert settings.endpoint.port == 9000
    assert secrets == {TOKEN_REF: Secret("lynkr-fixed")}


@pytest.mark.parametrize("token", ["pw-123456", "with space in the middle of it", "lynkr-fixed-0123456789"])
def test_administration_needs_a_token_of_its_own(token: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        read({"LYNKR_TOKEN": "lynkr-fixed-0123456789", "LYNKR_ADMIN_TOKEN": token})
    assert refusal.value.field == "LYNKR_ADMIN_TOKEN"
    assert token not in str(refusal.value)
    _, secrets, _ = read({"LYNKR_ADMIN_TOKEN": "another-0123456789-abcdef"})
    assert secrets[ADMIN_REF].reveal() == "another-0123456789-abcdef"


@pytest.mark.parametrize("variable", ["LYNKR_TOKEN", "OPENAI_API_KEY"])
def test_what_cannot_travel_in_a_header_is_refused_without_showing_it(variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read({variable: "canary with\nline"})
    assert variable in caught.value.title
    assert "canary" not in str(caught.value)


def test_an_env_file_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "\ufeff# tiers\nexport MODEL_PROVIDER=ollama\nTIER_SIMPLE='ollama:a b' # why\nKEY=\"x$y${HOME}\"\nEMPTY=\nNAMED\nA=b=c\n",
        encoding="utf-8",
    )
    expected = {"MODEL_PROVIDER": "ollama", "TIER_SIMPLE": "ollama:a b", "KEY": "x$y${HOME}", "EMPTY": "", "A": "b=c"}
    assert read_env_file(path) == expected


def test_a_broken_env_file_names_the_line_and_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PORT=1\n\n\nOPENAI_API_KEY='sk-canary\n")
    with pytest.raises(ConfigError, match="Line 4") as caught:
        read_env_file(path)
    assert str(path) in caught.value.title
    assert "canary" not in str(caught.value)


def test_an_env_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_env_file(tmp_path / "nowhere")
    (tmp_path / ".env").write_bytes(b"\xff\xfe=\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_env_file(tmp_path / ".env")


def test_a_provider_of_vectors_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        read({"EMBEDDINGS_PROVIDER": "nowhere"})
    assert caught.value.field == "EMBEDDINGS_PROVIDER"


def test_googles_key_under_each_of_its_names() -> None:
    google = names("google", "https://generativelanguage.googleapis.com")
    known = {**KNOWN, "google": dataclasses.replace(google, key="GEMINI_API_KEY", model="GEMINI_MODEL")}
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "VERTEX_API_KEY"):
        _, secrets, _ = apply_environment(Settings(), {name: "k"}, known)
        assert secrets == {"google": Secret("k")}
    _, secrets, _ = apply_environment(Settings(), {"GEMINI_API_KEY": "own", "GOOGLE_API_KEY": "other"}, known)
    assert secrets == {"google": Secret("own")}


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("auto", Mode()),
        ("direct", Mode(ModeKind.DIRECT)),
        ("Observe", Mode(ModeKind.OBSERVE)),
        ("local", Mode(ModeKind.LOCAL)),
        ("COMPLEX", Mode(ModeKind.PIN, Tier.COMPLEX)),
        ("simple", Mode(ModeKind.PIN, Tier.SIMPLE)),
    ],
)
def test_the_mode_can_be_set(name: str, mode: Mode) -> None:
    settings, _, _ = read(FOUR | KEYS | {"LYNKR_MODE": name, "MODEL_PROVIDER": "openai:gpt-5"})
    assert settings.routing.mode == mode


@pytest.mark.parametrize("name", ["pin", "fast", "auto,direct"])
def test_no_mode_of_that_name(name: str) -> None:
    with pytest.raises(ConfigError, match="LYNKR_MODE") as caught:
        read({"LYNKR_MODE": name})
    assert "observe, local, simple" in caught.value.detail


@pytest.mark.parametrize(("value", "is_sticky"), [("true", True), ("off", False)])
def test_stickiness_can_be_switched(value: str, is_sticky: bool) -> None:
    assert read({"LYNKR_STICKY_SESSIONS": value})[0].routing.is_sticky is is_sticky
    assert read({})[0].routing.is_sticky


# Lynkr's other providers, read with the real catalogue


def read_real(**env: str) -> tuple[Settings, list[str]]:
    settings, _, notices = apply_environment(Settings(), env, known_names())
    return settings, notices


@pytest.mark.parametrize(
    ("env", "provider", "base_url", "model"),
    [
        ({"ZAI_ENDPOINT": "https://api.z.ai/api/anthropic/v1/messages"}, "zai", "https://api.z.ai/api/anthropic", "glm-5.3"),
        (
            {"ZAI_ENDPOINT": "https://api.z.ai/api/coding/paas/v4/chat/completions", "ZAI_MODEL": "GLM-4.7"},
            "zai-openai",
            "https://api.z.ai/api/coding/paas",
            "GLM-4.7",
        ),
        (
            {
                "DATABRICKS_API_BASE": "https://adb-1.2.azuredatabricks.net/",
                "DATABRICKS_ENDPOINT_PATH": "/serving-endpoints/databricks-claude-opus-5/invocations",
            },
            "databricks",
            "https://adb-1.2.azuredatabricks.net",
            "databricks-claude-opus-5",
        ),
        (
            {
                "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/openai/v1/chat/completions",
                "AZURE_OPENAI_DEPLOYMENT": "my-gpt",
            },
            "azure-openai",
            "https://r.openai.azure.com",
            "my-gpt",
        ),
        (
            {
                "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions"
                "?api-version=2025-04-01-preview"
            },
            "azure-openai-classic",
            "https://r.openai.azure.com?api-version=2025-04-01-preview",
            "my gpt",
        ),
        (
            {"AZURE_ANTHROPIC_ENDPOINT": "https://r.services.ai.azure.com/anthropic/v1/messages"},
            "azure-anthropic",
            "https://r.services.ai.azure.com/anthropic",
            "claude-sonnet-5",
        ),
    ],
)
def test_an_address_says_which_of_a_vendors_doors_is_meant(env: dict[str, str], provider: str, base_url: str, model: str) -> None:
    """The account has the name that the original used, so that `TIER_…=zai:…` finds it whichever door it leads to."""
    name = {"zai-openai": "zai", "azure-openai-classic": "azure-openai"}.get(provider, provider)
    settings, notices = read_real(MODEL_PROVIDER=name, **{f"{name.upper().replace('-', '_')}_API_KEY": "k"}, **env)
    account = settings.account(name)
    assert account is not None
    assert (account.provider, account.base_url, notices) == (provider, base_url, [])
    assert settings.routing.direct == Target(name, model)


def test_a_path_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        read_real(DATABRICKS_API_BASE="https://d.example", DATABRICKS_ENDPOINT_PATH="/api/2.0/clusters")
    assert caught.value.field == "DATABRICKS_ENDPOINT_PATH"
    assert "/serving-endpoints/MODEL/invocations" in caught.value.detail


def test_a_query_that_belongs_to_no_path_is_refused() -> None:
    for address in ("https://r.openai.azure.com/openai/deployments/m/chat/completions?code=secret", "https://x.example?a=b"):
        with pytest.raises(ConfigError) as caught:
            read_real(AZURE_OPENAI_ENDPOINT=address)
        assert "secret" not in str(caught.value)


# --- who makes vectors ---


@pytest.mark.parametrize(
    ("env", "target"),
    [
        ({"EMBEDDINGS_PROVIDER": "ollama"}, Target("ollama", "")),
        ({"EMBEDDINGS_PROVIDER": "ollama:bge-m3:latest", "OLLAMA_EMBEDDINGS_MODEL": "x"}, Target("ollama", "bge-m3:latest")),
        ({"EMBEDDINGS_PROVIDER": "ollama", "OLLAMA_EMBEDDINGS_MODEL": "bge-m3"}, Target("ollama", "bge-m3")),
        ({"OLLAMA_MODEL": "qwen3", "OLLAMA_EMBEDDINGS_MODEL": "bge-m3"}, Target("ollama", "bge-m3")),
        ({"OLLAMA_EMBEDDINGS_MODEL": "bge-m3"}, None),  # names no account
        (
            {"OPENROUTER_API_KEY": "k", "OPENROUTER_EMBEDDINGS_MODEL": "a", "OLLAMA_MODEL": "q", "OLLAMA_EMBEDDINGS_MODEL": "b"},
            Target("openrouter", "a"),
        ),
        (
            {
                "MODEL_PROVIDER": "ollama",
                "OPENROUTER_API_KEY": "k",
                "OPENROUTER_EMBEDDINGS_MODEL": "a",
                "OLLAMA_EMBEDDINGS_MODEL": "b",
            },
            Target("ollama", "b"),
        ),
        (
            {"MODEL_PROVIDER": "ollama", "OLLAMA_EMBEDDINGS_ENDPOINT": "http://localhost:11434/api/embeddings"},
            None,  # the usual place
        ),
    ],
)
def test_who_makes_vectors(env: dict[str, str], target: Target | None) -> None:
    assert read(env)[0].routing.embeddings == target


def test_vectors_may_come_from_a_server_of_their_own() -> None:
    env = {"MODEL_PROVIDER": "ollama", "OLLAMA_EMBEDDINGS_ENDPOINT": "http://10.0.0.7:11434/api/embeddings"}
    settings = read(env | {"OLLAMA_EMBEDDINGS_MODEL": "bge-m3"})[0]
    assert settings.routing.embeddings == Target("ollama-embeddings", "bge-m3")
    account = settings.account("ollama-embeddings")
    assert account is not None
    assert (account.provider, account.base_url) == ("ollama", "http://10.0.0.7:11434")
    with pytest.raises(ConfigError) as caught:
        read({"MODEL_PROVIDER": "ollama", "OLLAMA_EMBEDDINGS_ENDPOINT": "not an address"})
    assert caught.value.field == "OLLAMA_EMBEDDINGS_ENDPOINT"


def test_more_keys_of_one_account_are_numbered() -> None:
    env = {"OPENAI_API_KEY": "a", "OPENAI_API_KEY_2": "b", "OPENAI_API_KEY_5": "c"}
    settings, secrets, _ = read(env)
    account = settings.account("openai")
    assert account is not None
    assert [(key.id, key.origin) for key in account.keys] == [(each, "https://api.openai.com") for each in ("", "2", "5")]
    assert {ref: secret.reveal() for ref, secret in secrets.items()} == {
        "openai": "a",
        "openai:2": "b",
        "openai:5": "c",
    }


def test_the_keys_of_the_file_stay_beside_the_environments() -> None:
    here = "https://api.openai.com"
    kept = Account("openai", "openai", keys=(AccountKey(here, "3", "team"), AccountKey(here)))
    account = read({"OPENAI_API_KEY": "a", "OPENAI_API_KEY_2": "b"}, Settings(accounts=(kept,)))[0].account("openai")
    assert account is not None
    assert [(key.id, key.title) for key in account.keys] == [("3", "team"), ("", ""), ("2", "")]


# --- what the user knows better of models ---


def test_prices_of_the_environment() -> None:
    text = '{"gpt-5": {"input": 1.5, "output": "2"}, "ollama:qwen2.5:7b": {"input": 0.1}, "qwen3:8b": {"output": 0}}'
    kept = ModelOverride("*", "gpt-5", thinks=True)
    other = ModelOverride("openai", "gpt-4", thinks=True)
    models = read({"MODEL_PRICE_OVERRIDES": text}, Settings(models=(kept, other)))[0].models
    assert models == (
        other,
        ModelOverride("*", "gpt-5", input_price="1.5", output_price="2"),
        ModelOverride("ollama", "qwen2.5:7b", input_price="0.1"),
        ModelOverride("*", "qwen3:8b", output_price="0"),
    )


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": 1}', '{"a": {}}', '{"a": {"input": -1}}', '{"a": {"input": true}}', '{"a": {"price": 1}}']
)
def test_prices_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read({"MODEL_PRICE_OVERRIDES": text})
    assert caught.value.field == "MODEL_PRICE_OVERRIDES"


def test_how_long_ollama_keeps_its_models() -> None:
    account = read({"OLLAMA_MODEL": "q", "OLLAMA_KEEP_ALIVE": "-1", "OLLAMA_PRELOAD": "true"})[0].account("ollama")
    assert account is not None
    assert (account.keep_alive, account.is_preloaded) == ("-1", True)
