"""The table of wires. A provider and a surface name their wire by its `NAME`. Nothing but the table."""

from typing import Final

from lynkr_desktop.engine.wire import anthropic, bedrock_converse, gemini, ollama, openai_chat, openai_responses
from lynkr_desktop.engine.wire.contract import ProviderWire, Wire
from lynkr_desktop.engine.wire.eventstream import AWS_CHUNKS, ChunkSplitter, EventStreamSplitter
from lynkr_desktop.engine.wire.framing import NDJSON, SSE, Framing, Splitter

WIRES: Final[dict[str, Wire]] = {
    anthropic.NAME: anthropic,
    openai_chat.NAME: openai_chat,
    openai_responses.NAME: openai_responses,
    gemini.NAME: gemini,
    ollama.NAME: ollama,
    ollama.GENERATE: ollama,  # the same module tells the two apart
}
# Those that providers speak: all of them, and one that no client does.
PROVIDER_WIRES: Final[dict[str, ProviderWire]] = {**WIRES, bedrock_converse.NAME: bedrock_converse}
_FRAMINGS: Final = {ollama.NAME: NDJSON}


def framing_of(wire: str) -> Framing:
    """How providers of a wire frame their streams, where clients of the same wire may get the bytes as they are."""
    return _FRAMINGS.get(wire, SSE)


def splitter_of(wire: str, framing: str = "") -> Splitter:
    """What cuts the stream of a provider of this wire, which may frame it in another way than the wire's own."""
    if framing == AWS_CHUNKS:
        return ChunkSplitter()
    return EventStreamSplitter() if wire == bedrock_converse.NAME else framing_of(wire).splitter()
