"""Vectors from every provider that makes them, against a server as strict as each vendor: shape, key, limits, order, refusals."""

from collections.abc import Callable, Iterator

import pytest

from tests.engine.test_pipeline_bedrock import CREDENTIALS
from tests.fakes.caller import Caller
from tests.fakes.more_upstreams import vector_of
from tests.fakes.program import Program, canary
from tests.fakes.vector_server import VectorServer

Start = Callable[..., Program]
KEY = canary("vectors")
# Provider → what else it needs, where its address begins under the server's, and the model that is asked for.
WAYS = {
    "openai": ("OPENAI", "/openai-home/v1", "text-embedding-3-small"),
    "openrouter": ("OPENROUTER", "/openrouter/api/v1", "openai/text-embedding-3-small"),
    "azure-openai": ("AZURE_OPENAI", "/openai/v1", "my-deployment"),
    "google": ("GEMINI", "", "gemini-embedding-001"),
    "ollama": ("OLLAMA", "", "nomic-embed-text"),
    "llamacpp": ("LLAMACPP", "", "default"),
}


@pytest.fixture
def server() -> Iterator[VectorServer]:
    server = VectorServer((KEY,)).start()
    yield server
    server.stop()


def started(headless: Start, server: VectorServer, provider: str, **more: str) -> Caller:
    prefix, base, model = WAYS[provider]
    program = headless(
        MODEL_PROVIDER=provider,
        EMBEDDINGS_PROVIDER=f"{provider}:{model}",
        **{f"{prefix}_API_KEY": KEY, f"{prefix}_API_BASE": server.url + base},
        **more,
    )
    return Caller(program.url, program.token)


def vectors(caller: Caller, *texts: str, **more: object) -> list[list[float]]:
    reply = caller.post("/v1/embeddings", {"model": "any", "input": list(texts), **more})
    assert reply.status == 200, reply.body
    return [row["embedding"] for row in reply.json["data"]]


@pytest.mark.parametrize("provider", WAYS)
def test_vectors_in_their_order(headless: Start, server: VectorServer, provider: str) -> None:
    caller = started(headless, server, provider)
    texts = ["a", "two", "drei €"]
    assert vectors(caller, *texts) == [vector_of(text) for text in texts]
    assert server.refused == []
    assert len(server.asked) == 1, "one call for all"
    sized = caller.post("/v1/embeddings", {"model": "any", "input": "ab", "dimensions": 256})
    assert sized.status == 200
    assert server.refused == []
    assert "256" in server.asked[-1].body.decode()


@pytest.mark.parametrize("provider", ["openai", "google"])
def test_more_inputs_than_a_call_may_hold_become_several(headless: Start, server: VectorServer, provider: str) -> None:
    caller = started(headless, server, provider)
    texts = ["x" * (number + 1) for number in range(250)]
    assert vectors(caller, *texts) == [vector_of(text) for text in texts]
    assert server.refused == []
    assert len(server.asked) == {"openai": 1, "google": 3}[provider]


@pytest.mark.parametrize("provider", WAYS)
def test_a_refused_key_is_told_in_the_vendors_words(headless: Start, server: VectorServer, provider: str) -> None:
    caller = started(headless, server, provider)
    server.keys = ("another",)
    reply = caller.post("/v1/embeddings", {"model": "any", "input": "a"})
    assert reply.status == 502
    assert b"Incorrect API key provided." in reply.body
    assert KEY.encode() not in reply.body


def test_a_model_that_ollama_lacks(headless: Start, server: VectorServer) -> None:
    program = headless(
        MODEL_PROVIDER="ollama", EMBEDDINGS_PROVIDER="ollama:missing", OLLAMA_API_KEY=KEY, OLLAMA_API_BASE=server.url
    )
    reply = Caller(program.url, program.token).post("/v1/embeddings", {"model": "any", "input": "a"})
    assert reply.status == 404
    assert b"try pulling it first" in reply.body


def test_a_classic_azure_deployment_is_in_the_address(headless: Start, server: VectorServer) -> None:
    program = headless(
        MODEL_PROVIDER="azure-openai:gpt-x",
        EMBEDDINGS_PROVIDER="azure-openai:my-vectors",
        AZURE_OPENAI_API_KEY=KEY,
        AZURE_OPENAI_ENDPOINT=f"{server.url}/openai/deployments/gpt-x/chat/completions?api-version=2024-10-21",
    )
    assert vectors(Caller(program.url, program.token), "ab") == [vector_of("ab")]
    assert server.asked[0].path == "/openai/deployments/my-vectors/embeddings?api-version=2024-10-21"
    assert server.refused == []


def test_the_next_key_makes_them_where_the_first_is_refused(headless: Start, server: VectorServer) -> None:
    program = headless(
        MODEL_PROVIDER="openai",
        OPENAI_API_BASE=server.url + "/openai-home/v1",
        OPENAI_API_KEY=canary("refused"),
        OPENAI_API_KEY_2=KEY,
    )
    caller = Caller(program.url, program.token)
    for _ in range(2):
        assert vectors(caller, "ab") == [vector_of("ab")]
    assert [asked.headers["authorization"] == f"Bearer {KEY}" for asked in server.asked] == [False, True, True]


# --- Bedrock, where each model has a form of its own ---

TITAN, TITAN_1 = "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v1"
COHERE, COHERE_4 = "cohere.embed-multilingual-v3", "us.cohere.embed-v4:0"


def bedrock(headless: Start, server: VectorServer, model: str, *, is_signed: bool = False) -> Caller:
    access = CREDENTIALS if is_signed else {"AWS_BEDROCK_API_KEY": KEY}
    program = headless(
        MODEL_PROVIDER="bedrock",
        EMBEDDINGS_PROVIDER=f"bedrock:{model}",
        AWS_BEDROCK_API_BASE=server.url,
        AWS_REGION="eu-west-1",
        **access,
    )
    return Caller(program.url, program.token)


@pytest.mark.parametrize("is_signed", [True, False], ids=["signed", "key"])
@pytest.mark.parametrize("model", [TITAN, TITAN_1, COHERE, COHERE_4])
def test_bedrocks_models(headless: Start, server: VectorServer, model: str, is_signed: bool) -> None:
    caller = bedrock(headless, server, model, is_signed=is_signed)
    texts = ["x" * (number + 1) for number in range(100)]
    assert vectors(caller, *texts) == [vector_of(text) for text in texts]
    assert server.refused == []
    assert len(server.asked) == (100 if "titan" in model else 2)
    assert all(("authorization" in each.headers) for each in server.asked)
    assert all(each.headers["authorization"].startswith("AWS4" if is_signed else "Bearer") for each in server.asked)


@pytest.mark.parametrize(("model", "is_taken"), [(TITAN, True), (TITAN_1, False), (COHERE, False), (COHERE_4, True)])
def test_a_size_is_asked_for_only_where_it_can_be_had(headless: Start, server: VectorServer, model: str, is_taken: bool) -> None:
    reply = bedrock(headless, server, model).post("/v1/embeddings", {"model": "any", "input": "a", "dimensions": 512})
    assert (reply.status == 200) is is_taken, reply.body
    assert server.refused == []
    assert bool(server.asked) is is_taken, "what cannot be had is refused here, not there"


def test_what_the_vectors_are_for_reaches_cohere(headless: Start, server: VectorServer) -> None:
    caller = bedrock(headless, server, COHERE)
    content = {"content": {"parts": [{"text": "abc"}]}, "taskType": "RETRIEVAL_QUERY"}
    assert caller.post("/v1beta/models/any:embedContent", content).json["embedding"]["values"] == vector_of("abc")
    assert server.asked[0].json["input_type"] == "search_query"


def test_a_model_whose_form_is_not_known_is_refused_here(headless: Start, server: VectorServer) -> None:
    reply = bedrock(headless, server, "nobody.knows-this-v1").post("/v1/embeddings", {"model": "any", "input": "a"})
    assert reply.status == 400
    assert server.asked == []
