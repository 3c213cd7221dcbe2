"""Who makes vectors, and how it looks from outside."""

import base64
import dataclasses
import json
import math
import sqlite3
import struct
from collections.abc import Callable

import openai
import pytest

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, Routing, Settings, Target
from lynkr_desktop.engine.embedding import BUILT_IN, target_for
from lynkr_desktop.engine.plan import plan_of
from lynkr_desktop.engine.providers import embedded_server
from lynkr_desktop.engine.wire.embeddings import EmbeddingsRequest, Form
from lynkr_desktop.errors import ClientError
from tests.fakes.caller import Caller
from tests.fakes.more_upstreams import GeminiUpstream, OllamaUpstream, vector_of
from tests.fakes.program import Program, canary

ACCOUNTS = {name: Account(name, name) for name in ("anthropic", "openai", "ollama", "google", "openai-compatible")}


def chosen(
    accounts: str,
    *,
    model: str = "text-embedding-3-large",
    form: Form = Form.OPENAI,
    embeddings: Target | None = None,
    direct: Target | None = None,
) -> Target:
    settings = Settings(accounts=tuple(ACCOUNTS[name] for name in accounts.split()))
    settings = dataclasses.replace(settings, routing=Routing(embeddings=embeddings, direct=direct))
    keys = {name: Secret("k") for name in accounts.split()}
    return target_for(plan_of(settings, keys, None), EmbeddingsRequest(form, model, ("a",)))


def test_what_the_user_set_comes_first_and_keeps_its_model() -> None:
    assert chosen("openai ollama", embeddings=Target("ollama", "bge-m3")) == Target("ollama", "bge-m3")
    assert chosen("openai ollama", embeddings=Target("ollama", "")) == Target("ollama", "nomic-embed-text")


def test_else_the_account_of_direct_mode_else_the_first_that_can() -> None:
    assert chosen("openai google", direct=Target("google", "gemini-3-pro")) == Target("google", "gemini-embedding-001")
    assert chosen("anthropic ollama openai", direct=Target("anthropic", "x")) == Target("openai", "text-embedding-3-large")


def test_a_model_is_taken_from_a_client_only_where_it_means_something() -> None:
    assert chosen("openai", model="lynkr-auto") == Target("openai", "text-embedding-3-small")
    assert chosen("ollama", model="text-embedding-3-large") == Target("ollama", "nomic-embed-text")
    assert chosen("ollama", model="bge-m3:latest", form=Form.OLLAMA) == Target("ollama", "bge-m3:latest")
    assert chosen("openai ollama", model="ollama:bge-m3") == Target("ollama", "bge-m3")


@pytest.mark.parametrize("accounts", ["", "anthropic", "openai-compatible"])
def test_nobody_can(accounts: str) -> None:
    with pytest.raises(ClientError) as caught:
        chosen(accounts)
    assert caught.value.status == 501
    assert "embeddings_not_configured" in caught.value.title
    assert "EMBEDDINGS_PROVIDER" in caught.value.detail


def test_the_built_in_model_comes_last_unless_it_is_asked_for() -> None:
    def found(accounts: str, model: str = "x", embeddings: Target | None = None) -> Target:
        settings = Settings(accounts=tuple(ACCOUNTS[name] for name in accounts.split()), routing=Routing(embeddings=embeddings))
        keys = {name: Secret("k") for name in accounts.split()}
        return target_for(plan_of(settings, keys, None), EmbeddingsRequest(Form.OPENAI, model, ("a",)), has_built_in=True)

    assert found("openai") == Target("openai", "x")
    assert found("") == BUILT_IN
    assert found("openai", embeddings=Target("embedded", "")) == BUILT_IN
    assert found("openai", str(BUILT_IN)) == BUILT_IN
    with pytest.raises(ClientError):
        found("openai", embeddings=Target("anthropic", ""))  # what was chosen and cannot is an error, not a reason to guess


# --- from outside ---


def test_every_client_gets_the_vectors_of_one_account(headless: Callable[..., Program]) -> None:
    server = OllamaUpstream(canary("ollama"))
    server.start()
    try:
        program = headless(
            MODEL_PROVIDER="anthropic",
            ANTHROPIC_API_KEY=canary("anthropic"),
            EMBEDDINGS_PROVIDER="ollama",
            OLLAMA_EMBEDDINGS_MODEL="bge-m3",
            OLLAMA_API_KEY=server.key,
            OLLAMA_API_BASE=server.url,
        )
        caller = Caller(program.url, program.token)
        with openai.OpenAI(api_key=program.token, base_url=program.url + "/v1", max_retries=0) as client:
            found = client.embeddings.create(model="text-embedding-3-small", input=["ä", "four"])  # asks for base64 by itself
        assert [row.embedding for row in found.data] == [vector_of("ä"), vector_of("four")]
        assert found.usage.prompt_tokens == 4
        assert server.received[0].json == {"model": "bge-m3", "input": ["ä", "four"]}
        packed = caller.post("/v1/embeddings", {"model": "x", "input": "ab", "encoding_format": "base64"}).json["data"][0][
            "embedding"
        ]
        assert list(struct.unpack("<3f", base64.b64decode(packed))) == vector_of("ab")
        assert caller.post("/api/embed", {"model": "x", "input": ["a"]}).json["embeddings"] == [vector_of("a")]
        assert caller.post("/api/embeddings", {"model": "x", "prompt": "a"}).json == {"embedding": vector_of("a")}
        content = {"content": {"parts": [{"text": "abc"}]}}
        assert caller.post("/v1beta/models/x:embedContent", content).json["embedding"]["values"] == vector_of("abc")
        batch = caller.post("/v1beta/models/x:batchEmbedContents", {"requests": [content, content]})
        assert batch.json["embeddings"] == [{"values": vector_of("abc")}] * 2
        assert batch.headers["x-lynkr-model"] == "bge-m3"
        program.stop()
        ledger = next(program.data_dir.rglob("*.db"), None) or next(program.data_dir.rglob("*.sqlite*"))
        with sqlite3.connect(ledger) as rows:
            kept = rows.execute("select surface, account, model, input_tokens, status from exchanges order by id").fetchall()
        assert kept[0] == ("embeddings", "ollama", "bge-m3", 4, 200)
        assert [row[0] for row in kept[2:]] == ["ollama_embed", "ollama_embeddings", "embed_content", "batch_embed_contents"]
    finally:
        server.stop()


def test_google_makes_vectors_too(headless: Callable[..., Program]) -> None:
    server = GeminiUpstream(canary("google"))
    server.start()
    try:
        program = headless(MODEL_PROVIDER="gemini", GOOGLE_API_KEY=server.key, GEMINI_API_BASE=server.url)
        reply = Caller(program.url, program.token).post("/v1/embeddings", {"model": "x", "input": "abc"})
        assert reply.json["data"][0]["embedding"] == vector_of("abc")
    finally:
        server.stop()


def test_the_built_in_model_serves_who_has_no_account_for_it(headless: Callable[..., Program]) -> None:
    program = headless(MODEL_PROVIDER="anthropic", ANTHROPIC_API_KEY=canary("anthropic"))
    caller = Caller(program.url, program.token)
    reply = caller.post("/v1/embeddings", {"model": "x", "input": ["abc", "word " * 900]})
    if not embedded_server.makes_vectors():
        assert reply.status == 501
        assert "embeddings_not_configured" in json.dumps(reply.json)
        return
    assert [len(row["embedding"]) for row in reply.json["data"]] == [384, 384]
    assert reply.json["usage"]["prompt_tokens"] == 3 + 512
    assert (reply.headers["x-lynkr-provider"], reply.headers["x-lynkr-model"]) == ("embedded", "all-minilm-l6-v2")
    refused = caller.post("/v1/embeddings", {"model": "x", "input": "abc", "dimensions": 256})
    assert refused.status == 400
    assert "384" in json.dumps(refused.json)
    assert caller.post("/v1/embeddings", {"model": "x", "input": [[1, 2, 3]]}).status == 400
    assert caller.post("/api/embed", {"model": "x", "input": []}).status == 400


def test_the_built_in_model_can_be_chosen_and_needs_no_account(headless: Callable[..., Program]) -> None:
    if not embedded_server.makes_vectors():
        pytest.skip("the extra 'vectors' is not installed")
    program = headless(
        MODEL_PROVIDER="openai",
        OPENAI_API_KEY=canary("openai"),
        OPENAI_API_BASE="http://127.0.0.1:9",
        EMBEDDINGS_PROVIDER="embedded",
    )
    caller = Caller(program.url, program.token)
    with openai.OpenAI(api_key=program.token, base_url=program.url + "/v1", max_retries=0) as client:
        found = client.embeddings.create(
            model="text-embedding-3-small", input=["How are you?", "How do you do?", "def f(): pass"]
        )
    one, same, other = (row.embedding for row in found.data)
    assert math.dist(one, same) < math.dist(one, other) - 0.2
    assert [each["name"] for each in caller.get("/v1/providers").json["data"]] == ["openai"]
    with sqlite3.connect(program.data_dir / "ledger.db") as rows:
        program.stop()
        kept = rows.execute("select provider, model, cost_basis, cost_usd, status from exchanges").fetchall()
    assert kept == [("embedded", "all-minilm-l6-v2", "free", "0", 200)]
