"""THE table of providers. Adding one is one entry here: the form, the probe, the ledger's label and the tests come from it."""

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

import msgspec

from lynkr_desktop.engine.providers.provider import Auth, Door, EnvNames, Place, Provider
from lynkr_desktop.engine.wire.contract import Quirks

# OpenAI serves these through the Responses API only: https://platform.openai.com/docs/models, seen 2026-11-22.
_ONLY_RESPONSES: Final = ("*codex*", "*-pro", "*-pro-20*", "*deep-research*", "computer-use-*")
_RESPONSES: Final = Quirks(takes_reasoning_effort=True)
_V1_RESPONSES: Final = Door(
    wire="openai_responses", chat_path="/v1/responses", quirks=_RESPONSES, is_for_its_clients=True, is_only_at_home=True
)
_CLASSIC_RESPONSES: Final = "/openai/responses?api-version=2025-04-01-preview"
_CLAUDE: Final = ("*claude*",)
_AWS_REGION: Final = r"[a-z]{2}(-[a-z]+)+-\d"
# Google's and Anthropic's own programs read these; they alone do not say that Vertex is wanted.
_GOOGLE_PROJECT: Final = ("GOOGLE_CLOUD_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID")
_GOOGLE_REGION: Final = ("GOOGLE_CLOUD_LOCATION", "CLOUD_ML_REGION")
# What Microsoft's own libraries call the parts of a service principal.
_PRINCIPAL: Final = (("tenant", "AZURE_TENANT_ID"), ("appId", "AZURE_CLIENT_ID"), ("password", "AZURE_CLIENT_SECRET"))

_ENTRIES: Final = (
    Provider(
        id="embedded",
        title="Built-in model",
        wire="openai_chat",
        base_url="",  # known once the server runs
        chat_path="/v1/chat/completions",
        models_path="/v1/models",
        auth=Auth.OPTIONAL_BEARER,
        env=EnvNames(),
        default_model="smollm2-135m-instruct",
        is_local=True,
        is_embedded=True,
        reads_bytes=6000,  # its chat template, in engine/data, bounds what the small window must hold
        quirks=Quirks(takes_images=False, takes_parallel_switch=False, takes_user=False, prints_tool_calls=True),
    ),
    Provider(
        id="anthropic",
        title="Anthropic",
        wire="anthropic",
        base_url="https://api.anthropic.com",
        chat_path="/v1/messages",
        models_path="/v1/models",
        count_path="/v1/messages/count_tokens",
        auth=Auth.X_API_KEY,
        headers={"anthropic-version": "2023-06-01"},
        env=EnvNames("ANTHROPIC_API_KEY", "ANTHROPIC_MODEL", "ANTHROPIC_ENDPOINT", "ANTHROPIC_API_BASE"),
        default_model="claude-sonnet-5",
        key_page="https://console.anthropic.com/settings/keys",
    ),
    Provider(
        id="openai",
        title="OpenAI",
        wire="openai_chat",
        base_url="https://api.openai.com",
        chat_path="/v1/chat/completions",
        models_path="/v1/models",
        embeddings_path="/v1/embeddings",
        embeddings_model="text-embedding-3-small",
        auth=Auth.BEARER,
        env=EnvNames("OPENAI_API_KEY", "OPENAI_MODEL", "OPENAI_ENDPOINT", "OPENAI_API_BASE"),
        default_model="gpt-5.4-mini",
        key_page="https://platform.openai.com/api-keys",
        quirks=Quirks(
            has_max_completion_tokens=True,
            takes_reasoning_effort=True,
            refuses_reasoning_content=True,
            refuses_tool_pictures=True,
        ),
        doors=(
            msgspec.structs.replace(_V1_RESPONSES, models=_ONLY_RESPONSES, is_for_its_clients=False),
            _V1_RESPONSES,
        ),
    ),
    Provider(
        id="openrouter",
        title="OpenRouter",
        wire="openai_chat",
        base_url="https://openrouter.ai/api",
        chat_path="/v1/chat/completions",
        models_path="/v1/models",
        embeddings_path="/v1/embeddings",
        embeddings_model="openai/text-embedding-3-small",
        auth=Auth.BEARER,
        headers={"http-referer": "https://github.com/lynkr-desktop", "x-title": "Lynkr Desktop"},
        env=EnvNames("OPENROUTER_API_KEY", "OPENROUTER_MODEL", "OPENROUTER_ENDPOINT", "OPENROUTER_API_BASE"),
        default_model="openai/gpt-5.4-mini",
        key_page="https://openrouter.ai/settings/keys",
        quirks=Quirks(takes_cache_markers=True, takes_reasoning_content=True, asks_usage_cost=True),
    ),
    Provider(
        id="google",
        title="Google Gemini",
        wire="gemini",
        base_url="https://generativelanguage.googleapis.com",
        chat_path="/v1beta/models/{model}:generateContent",
        stream_path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
        models_path="/v1beta/models?pageSize=1000",
        embeddings_path="/v1beta/models/{model}:batchEmbedContents",
        embeddings_model="gemini-embedding-001",
        auth=Auth.X_GOOG_API_KEY,
        env=EnvNames("GEMINI_API_KEY", "GEMINI_MODEL", "GEMINI_ENDPOINT", "GEMINI_API_BASE"),
        default_model="gemini-flash-latest",
        key_page="https://aistudio.google.com/apikey",
        quirks=Quirks(takes_reasoning_effort=True),
    ),
    Provider(
        id="ollama",
        title="Ollama",
        wire="ollama",  # its OpenAI-compatible door cannot be told the window, and cuts longer prompts without a word
        base_url="http://127.0.0.1:11434",
        chat_path="/api/chat",
        models_path="/api/tags",
        show_path="/api/show",
        load_path="/api/generate",
        embeddings_path="/api/embed",
        embeddings_model="nomic-embed-text",
        auth=Auth.OPTIONAL_BEARER,
        env=EnvNames("OLLAMA_API_KEY", "OLLAMA_MODEL", "OLLAMA_ENDPOINT", "OLLAMA_API_BASE"),
        default_model="qwen2.5-coder:7b",
        is_local=True,
        usual_ports=(11434,),
        quirks=Quirks(context_tokens=32768, prints_tool_calls=True),
    ),
    Provider(
        id="llamacpp",
        title="llama.cpp",
        wire="openai_chat",
        base_url="http://127.0.0.1:8080",
        chat_path="/v1/chat/completions",
        models_path="/v1/models",
        embeddings_path="/v1/embeddings",
        embeddings_model="default",
        auth=Auth.OPTIONAL_BEARER,
        env=EnvNames("LLAMACPP_API_KEY", "LLAMACPP_MODEL", "LLAMACPP_ENDPOINT", "LLAMACPP_API_BASE"),
        default_model="default",
        is_local=True,
        usual_ports=(8080,),
        quirks=Quirks(prints_tool_calls=True),
    ),
    Provider(
        id="lmstudio",
        title="LM Studio",
        wire="openai_chat",
        base_url="http://127.0.0.1:1234",
        chat_path="/v1/chat/completions",
        models_path="/v1/models",
        embeddings_path="/v1/embeddings",
        embeddings_model="default",
        auth=Auth.OPTIONAL_BEARER,
        env=EnvNames("LMSTUDIO_API_KEY", "LMSTUDIO_MODEL", "LMSTUDIO_ENDPOINT", "LMSTUDIO_API_BASE"),
        default_model="default",
        is_local=True,
        usual_ports=(1234,),
        quirks=Quirks(prints_tool_calls=True),
    ),
    Provider(
        id="openai-compatible",
        title="OpenAI-compatible server",
        wire="openai_chat",
        base_url="",
        chat_path="/v1/chat/completions",
        models_path="/v1/models",
        embeddings_path="/v1/embeddings",
        embeddings_model="default",
        auth=Auth.OPTIONAL_BEARER,
        env=EnvNames(
            "OPENAI_COMPATIBLE_API_KEY", "OPENAI_COMPATIBLE_MODEL", "OPENAI_COMPATIBLE_ENDPOINT", "OPENAI_COMPATIBLE_API_BASE"
        ),
        default_model="default",
        usual_ports=(8000,),
        quirks=Quirks(prints_tool_calls=True),
    ),
    Provider(
        id="deepseek",
        title="DeepSeek",
        wire="openai_chat",
        base_url="https://api.deepseek.com",
        chat_path="/chat/completions",
        models_path="/models",
        auth=Auth.BEARER,
        env=EnvNames("DEEPSEEK_API_KEY", "DEEPSEEK_MODEL", "DEEPSEEK_ENDPOINT", "DEEPSEEK_API_BASE"),
        default_model="deepseek-chat",
        key_page="https://platform.deepseek.com/api_keys",
        quirks=Quirks(takes_reasoning_content=True, takes_parallel_switch=False, takes_user=False),
    ),
    Provider(
        id="moonshot",
        title="Moonshot AI",
        wire="openai_chat",
        base_url="https://api.moonshot.ai",
        chat_path="/v1/chat/completions",
        models_path="/v1/models",
        auth=Auth.BEARER,
        env=EnvNames("MOONSHOT_API_KEY", "MOONSHOT_MODEL", "MOONSHOT_ENDPOINT", "MOONSHOT_API_BASE"),
        default_model="kimi-k3",
        key_page="https://platform.moonshot.ai/console/api-keys",
        quirks=Quirks(takes_reasoning_content=True, takes_parallel_switch=False),
    ),
    Provider(
        id="zai",
        title="Z.ai",
        wire="anthropic",
        base_url="https://api.z.ai/api/anthropic",
        chat_path="/v1/messages",
        auth=Auth.X_API_KEY,
        headers={"anthropic-version": "2023-06-01"},
        env=EnvNames("ZAI_API_KEY", "ZAI_MODEL", "ZAI_ENDPOINT", "ZAI_API_BASE", most_at_once="ZAI_MAX_CONCURRENT"),
        default_model="glm-5.3",
        most_at_once=2,  # of one key; more are answered with 429
        twin="zai-openai",
        key_page="https://z.ai/manage-apikey/apikey-list",
    ),
    Provider(
        id="zai-openai",
        title="Z.ai (OpenAI-compatible)",
        wire="openai_chat",
        base_url="https://api.z.ai/api/paas",
        chat_path="/v4/chat/completions",
        auth=Auth.BEARER,
        env=EnvNames(),  # those of its twin, by the address
        default_model="glm-5.3",
        most_at_once=2,
        key_page="https://z.ai/manage-apikey/apikey-list",
        quirks=Quirks(takes_reasoning_content=True, takes_parallel_switch=False, takes_user=False),
    ),
    Provider(
        id="edenai",
        title="Eden AI",
        wire="openai_chat",
        base_url="https://api.edenai.run",
        chat_path="/v3/chat/completions",
        auth=Auth.BEARER,
        env=EnvNames("EDENAI_API_KEY", "EDENAI_MODEL", "EDENAI_ENDPOINT", "EDENAI_API_BASE"),
        default_model="openai/gpt-5.4-mini",
        key_page="https://app.edenai.run",
    ),
    Provider(
        id="atlas",
        title="Atlas Cloud",
        wire="openai_chat",
        base_url="https://api.atlascloud.ai",
        chat_path="/v1/chat/completions",
        models_path="/v1/models",
        auth=Auth.BEARER,
        env=EnvNames("ATLASCLOUD_API_KEY", "ATLASCLOUD_MODEL", "ATLASCLOUD_ENDPOINT", "ATLASCLOUD_API_BASE"),
        default_model="qwen/qwen3.8-max",
        key_page="https://www.atlascloud.ai/console/api-keys",
    ),
    Provider(
        id="baidu",
        title="Baidu Qianfan",
        wire="openai_chat",
        base_url="https://qianfan.baidubce.com",
        chat_path="/v2/chat/completions",
        models_path="/v2/models",
        auth=Auth.BEARER,
        env=EnvNames("BAIDU_API_KEY", "BAIDU_MODEL", "BAIDU_ENDPOINT", "BAIDU_API_BASE"),
        default_model="ernie-4.5-turbo-128k",
        key_page="https://console.bce.baidu.com/iam/#/iam/apikey/list",
    ),
    Provider(
        id="databricks",
        title="Databricks",
        wire="openai_chat",
        base_url="",
        example="https://adb-1234567890.1.azuredatabricks.net",
        chat_path="/serving-endpoints/{model}/invocations",
        auth=Auth.BEARER,
        env=EnvNames("DATABRICKS_API_KEY", "DATABRICKS_MODEL", "", "DATABRICKS_API_BASE", path="DATABRICKS_ENDPOINT_PATH"),
        default_model="databricks-claude-sonnet-4-5",
        # It tells the usage in every chunk unasked, and refuses fields that its reference does not list.
        quirks=Quirks(takes_cache_markers=True, takes_stream_options=False, takes_parallel_switch=False, takes_user=False),
        doors=(
            Door(
                wire="anthropic",
                chat_path="/serving-endpoints/anthropic/v1/messages",
                models=("databricks-claude-*",),  # those of its own; other endpoints may have any name
                headers={"anthropic-version": "2023-06-01"},
            ),
        ),
    ),
    Provider(
        id="azure-openai",
        title="Azure OpenAI",
        wire="openai_chat",
        base_url="",
        example="https://RESOURCE.openai.azure.com",
        chat_path="/openai/v1/chat/completions",
        models_path="/openai/v1/models",
        embeddings_path="/openai/v1/embeddings",
        embeddings_model="text-embedding-3-small",
        auth=Auth.ENTRA,
        env=EnvNames(
            "AZURE_OPENAI_API_KEY",
            "AZURE_OPENAI_DEPLOYMENT",
            "AZURE_OPENAI_ENDPOINT",
            "AZURE_OPENAI_API_BASE",
            key_parts=_PRINCIPAL,
        ),
        default_model="gpt-5-mini",
        twin="azure-openai-classic",
        key_page="https://ai.azure.com",
        quirks=Quirks(has_max_completion_tokens=True, takes_reasoning_effort=True),
        doors=(
            Door(wire="openai_responses", chat_path="/openai/v1/responses", models=_ONLY_RESPONSES, quirks=_RESPONSES),
            Door(wire="openai_responses", chat_path="/openai/v1/responses", is_for_its_clients=True, quirks=_RESPONSES),
        ),
    ),
    Provider(
        id="azure-openai-classic",
        title="Azure OpenAI (deployments)",
        wire="openai_chat",
        base_url="",
        example="https://RESOURCE.openai.azure.com",
        chat_path="/openai/deployments/{model}/chat/completions?api-version=2024-10-21",
        embeddings_path="/openai/deployments/{model}/embeddings?api-version=2024-10-21",
        embeddings_model="text-embedding-3-small",
        auth=Auth.ENTRA,
        env=EnvNames(),  # those of its twin, by the address
        default_model="gpt-5-mini",
        key_page="https://ai.azure.com",
        quirks=Quirks(has_max_completion_tokens=True, takes_reasoning_effort=True),
        doors=(  # Azure's classic Responses API names the deployment in the body: learn.microsoft.com, seen 2026-11-22
            Door(wire="openai_responses", chat_path=_CLASSIC_RESPONSES, models=_ONLY_RESPONSES, quirks=_RESPONSES),
            Door(wire="openai_responses", chat_path=_CLASSIC_RESPONSES, is_for_its_clients=True, quirks=_RESPONSES),
        ),
    ),
    Provider(
        id="azure-anthropic",
        title="Azure (Anthropic)",
        wire="anthropic",
        base_url="",
        example="https://RESOURCE.services.ai.azure.com/anthropic",
        chat_path="/v1/messages",
        count_path="/v1/messages/count_tokens",
        auth=Auth.ENTRA_X,
        headers={"anthropic-version": "2023-06-01"},
        env=EnvNames(
            "AZURE_ANTHROPIC_API_KEY",
            "AZURE_ANTHROPIC_MODEL",
            "AZURE_ANTHROPIC_ENDPOINT",
            "AZURE_ANTHROPIC_API_BASE",
            key_parts=_PRINCIPAL,
        ),
        default_model="claude-sonnet-5",
        key_page="https://ai.azure.com",
    ),
    Provider(
        id="bedrock",
        title="Amazon Bedrock",
        wire="bedrock_converse",
        base_url="https://bedrock-runtime.us-east-1.amazonaws.com",
        address="https://bedrock-runtime.{region}.amazonaws.com",
        places=(Place("region", _AWS_REGION, "us-east-1", ("AWS_BEDROCK_REGION", "AWS_REGION")),),
        chat_path="/model/{model}/converse",
        stream_path="/model/{model}/converse-stream",
        embeddings_path="/model/{model}/invoke",
        embeddings_model="amazon.titan-embed-text-v2:0",
        auth=Auth.AWS,
        headers={"accept": "*/*"},  # its stream is none that HTTP has a plain name for
        env=EnvNames(
            "AWS_BEDROCK_API_KEY",
            "AWS_BEDROCK_MODEL_ID",
            "AWS_BEDROCK_ENDPOINT",
            "AWS_BEDROCK_API_BASE",
        ),
        default_model="global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        key_page="https://console.aws.amazon.com/bedrock/home#/api-keys",
        doors=(
            # Converse cannot carry all that Anthropic's own wire says. An ARN that hides its model stays with Converse.
            Door(
                wire="anthropic",
                chat_path="/model/{model}/invoke",
                stream_path="/model/{model}/invoke-with-response-stream",
                models=_CLAUDE,
                is_for_its_clients=True,
                headers={"accept": "*/*"},
                quirks=Quirks(hosted_version="bedrock-2023-05-31", takes_later_system=False),
                framing="aws_chunks",
            ),
        ),
    ),
    Provider(
        id="vertex",
        title="Google Vertex AI",
        wire="gemini",
        base_url="",
        address="https://{host}/v1/projects/{project}/locations/{region}",
        example="https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global",
        places=(
            Place("project", r"[a-z][a-z0-9.:-]{4,98}", "", ("VERTEX_PROJECT", "VERTEX_PROJECT_ID", *_GOOGLE_PROJECT)),
            Place("region", r"global|us|eu|[a-z]+-[a-z]+\d+", "global", ("VERTEX_REGION", "VERTEX_LOCATION", *_GOOGLE_REGION)),
        ),
        hosts={
            "": "{region}-aiplatform.googleapis.com",
            "global": "aiplatform.googleapis.com",
            "us": "aiplatform.us.rep.googleapis.com",
            "eu": "aiplatform.eu.rep.googleapis.com",
        },
        chat_path="/publishers/google/models/{model}:generateContent",
        stream_path="/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        auth=Auth.GOOGLE,
        env=EnvNames(
            "VERTEX_CREDENTIALS",
            "VERTEX_MODEL",
            base="VERTEX_API_BASE",
            key_file="GOOGLE_APPLICATION_CREDENTIALS",
            instead="google",
        ),
        default_model="gemini-2.5-flash",
        key_page="https://console.cloud.google.com/iam-admin/serviceaccounts",
        quirks=Quirks(takes_reasoning_effort=True),
        doors=(
            Door(
                wire="anthropic",
                chat_path="/publishers/anthropic/models/{model}:rawPredict",
                stream_path="/publishers/anthropic/models/{model}:streamRawPredict",
                count_path="/publishers/anthropic/models/count-tokens:rawPredict",
                models=_CLAUDE,
                quirks=Quirks(hosted_version="vertex-2023-10-16"),
            ),
        ),
    ),
    Provider(
        id="codex",
        title="Codex (your own)",
        wire="openai_responses",
        base_url="",
        chat_path="",
        auth=Auth.NONE,
        env=EnvNames(model="CODEX_MODEL", base="CODEX_BINARY_PATH"),
        default_model="gpt-5.5",
        is_program=True,
        quirks=Quirks(takes_sampling=False, takes_reasoning_effort=True),
    ),
    Provider(
        id="anthropic-compatible",
        title="Anthropic-compatible server",
        wire="anthropic",
        base_url="",
        chat_path="/v1/messages",
        models_path="/v1/models",
        auth=Auth.OPTIONAL_X_API_KEY,
        headers={"anthropic-version": "2023-06-01"},
        env=EnvNames(
            "ANTHROPIC_COMPATIBLE_API_KEY",
            "ANTHROPIC_COMPATIBLE_MODEL",
            "ANTHROPIC_COMPATIBLE_ENDPOINT",
            "ANTHROPIC_COMPATIBLE_API_BASE",
        ),
        default_model="default",
    ),
)

PROVIDERS: Final = {entry.id: entry for entry in _ENTRIES}

ALIASES: Final = {
    "built-in": "embedded",
    "claude": "anthropic",
    "gemini": "google",
    "llama.cpp": "llamacpp",
    "llama-cpp": "llamacpp",
    "lm-studio": "lmstudio",
    "z-ai": "zai",
    "kimi": "moonshot",
    "azure": "azure-openai",
    "aws": "bedrock",
    "amazon": "bedrock",
}


@lru_cache(maxsize=4096)
def way(provider_id: str, base_url: str, model: str, client_wire: str) -> Provider:
    """The entry as a request of that client for that model meets it: itself, or with the paths and the wire of one of its doors.

    A client who speaks a door's wire goes through it before any other. Raises `KeyError` for a name that is no entry's.
    """
    entry = PROVIDERS[provider_id]
    is_home = base_url.startswith(entry.base_url)
    fitting = [door for door in entry.doors if (is_home or not door.is_only_at_home) and _fits(model, door)]
    chosen = next((door for door in fitting if door.wire == client_wire), None)
    chosen = chosen or next((door for door in fitting if not door.is_for_its_clients), None)
    if not entry.doors:
        return entry
    paths = [entry.chat_path, entry.stream_path]
    paths += [path for door in entry.doors for path in (door.chat_path, door.stream_path)]
    return _through(msgspec.structs.replace(entry, doors=(), other_paths=tuple(filter(None, paths))), chosen)


def _fits(model: str, door: Door) -> bool:
    return any(fnmatchcase(model.lower(), pattern) for pattern in door.models)


def _through(entry: Provider, door: Door | None) -> Provider:
    if door is None:
        return entry
    return msgspec.structs.replace(
        entry,
        wire=door.wire,
        chat_path=door.chat_path,
        stream_path=door.stream_path,
        count_path=door.count_path,
        headers=door.headers,
        quirks=door.quirks,
        framing=door.framing,
    )


def provider(name: str) -> Provider | None:
    """The entry of that id or alias."""
    name = name.strip().lower()
    return PROVIDERS.get(ALIASES.get(name, name))
