"""Traces for a collector of OpenTelemetry: each request as a span, each try at a provider as one below it. Off unless asked for.

`LYNKR_OTEL_ENABLED=true` turns it on, for `--headless`; where the traces go is said by OpenTelemetry's own variables
(`OTEL_EXPORTER_OTLP_ENDPOINT`, …). The names follow the semantic conventions for generative AI as of November 2026, which are
still in development. No prompt, no answer and no error text of a provider is in a span. Needs the extra `otel`, which is
imported only where it is on.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from lynkr_desktop import __version__, logs
from lynkr_desktop.engine.events import Attempt, Event, Exchange, RequestFinished
from lynkr_desktop.engine.service import EngineService
from lynkr_desktop.errors import ConfigError

SWITCH: Final = "LYNKR_OTEL_ENABLED"
_HEADERS: Final = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
_ON: Final = frozenset({"true", "1", "yes", "on"})
_MILLISECOND_NS: Final = 1_000_000
# The conventions' names of the providers that they know; all others keep ours.
_PROVIDERS: Final = {
    "azure-openai": "azure.ai.openai",
    "azure-openai-classic": "azure.ai.openai",
    "azure-anthropic": "anthropic",
    "bedrock": "aws.bedrock",
    "google": "gcp.gemini",
    "vertex": "gcp.vertex_ai",
}
_EMBEDDINGS: Final = ("embed", "embeddings", "batch_embed_contents")
_Attributes = dict[str, str | int | float]


def started(environment: Mapping[str, str], engine: EngineService) -> Callable[[], None]:
    """Send traces from now on if the environment says so. Returns the way to send what is left and end; it may block.

    Raises `ConfigError` where the extra is missing.
    """
    if environment.get(SWITCH, "").strip().lower() not in _ON:
        return _nothing
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        remedy = f"Install the extra: pip install 'lynkr-desktop[otel]', or take {SWITCH} away."
        raise ConfigError("OpenTelemetry is not installed.", remedy, field=SWITCH) from None
    for name in _HEADERS:  # tokens of collectors
        logs.REDACTOR.learn(pair.partition("=")[2].strip() for pair in environment.get(name, "").split(","))
    service = {"service.name": environment.get("OTEL_SERVICE_NAME", "") or "lynkr-desktop", "service.version": __version__}
    provider = TracerProvider(resource=Resource.create(service), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("lynkr_desktop", __version__)

    def hear(event: Event) -> None:
        if isinstance(event, RequestFinished):
            _record(tracer, event.exchange)

    stop = engine.subscribe(hear, RequestFinished)

    def end() -> None:
        stop()
        provider.shutdown()

    return end


def _nothing() -> None:
    """There is nothing to end."""


def _record(tracer: Any, exchange: Exchange) -> None:
    from opentelemetry import trace  # noqa: PLC0415

    begin = exchange.started_at_ms * _MILLISECOND_NS
    root = tracer.start_span(
        f"{_operation(exchange)} {exchange.requested_model}".rstrip(),
        context=trace.set_span_in_context(trace.INVALID_SPAN),
        kind=trace.SpanKind.SERVER,
        attributes=_of_exchange(exchange),
        start_time=begin,
    )
    inside = trace.set_span_in_context(root)
    for attempt in exchange.attempts:
        is_served = not attempt.error and attempt is exchange.attempts[-1]
        span = tracer.start_span(
            f"{_operation(exchange)} {attempt.model}",
            context=inside,
            kind=trace.SpanKind.CLIENT,
            attributes=_of_attempt(attempt, exchange, is_served=is_served),
            start_time=begin + round(attempt.started_ms * _MILLISECOND_NS),
        )
        _finish(span, attempt.error, begin + round(attempt.ended_ms * _MILLISECOND_NS))
    _finish(root, exchange.error, begin + round(exchange.total_ms * _MILLISECOND_NS))


def _finish(span: Any, error: str, end_ns: int) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    if error:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR))
    span.end(end_time=end_ns)


def _operation(exchange: Exchange) -> str:
    return "embeddings" if exchange.surface.endswith(_EMBEDDINGS) else "chat"


def _of_exchange(exchange: Exchange) -> _Attributes:
    found: dict[str, str | int | float | None] = {
        "gen_ai.operation.name": _operation(exchange),
        "gen_ai.request.model": exchange.requested_model,
        "gen_ai.conversation.id": exchange.session,
        "http.response.status_code": exchange.status,
        "lynkr.exchange.id": exchange.id,
        "lynkr.client": exchange.client,
        "lynkr.project": exchange.project,
        "lynkr.surface": exchange.surface,
        "lynkr.mode": exchange.mode,
        "lynkr.tier": exchange.tier,
        "lynkr.score": exchange.score,
        "lynkr.routing.method": exchange.method,
        "lynkr.fidelity": exchange.fidelity,
        "lynkr.cost_usd": float(exchange.cost_usd) if exchange.cost_usd is not None else None,
        "lynkr.cost_basis": exchange.cost_basis,
        **_served(exchange),
    }
    return _told(found)


def _of_attempt(attempt: Attempt, exchange: Exchange, *, is_served: bool) -> _Attributes:
    found: dict[str, str | int | float | None] = {
        "gen_ai.operation.name": _operation(exchange),
        "gen_ai.request.model": attempt.model,
        "http.response.status_code": attempt.status,
        "lynkr.account": attempt.account,
        "lynkr.tier": attempt.tier,
        **(_served(exchange) if is_served else {}),
    }
    return _told(found)


def _served(exchange: Exchange) -> dict[str, str | int | float | None]:
    """What the provider that served told. The conventions count cached tokens among the input's."""
    cached = (exchange.cache_read_tokens or 0) + (exchange.cache_write_tokens or 0)
    first = exchange.first_token_ms
    return {
        "gen_ai.provider.name": _PROVIDERS.get(exchange.provider, exchange.provider),
        "gen_ai.response.model": exchange.model,
        "gen_ai.usage.input_tokens": None if exchange.input_tokens is None else exchange.input_tokens + cached,
        "gen_ai.usage.output_tokens": exchange.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": exchange.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": exchange.cache_write_tokens,
        "gen_ai.response.time_to_first_chunk": first / 1000 if first is not None and exchange.is_streamed else None,
    }


def _told(found: Mapping[str, str | int | float | None]) -> _Attributes:
    """Without what is not known."""
    return {name: value for name, value in found.items() if value is not None and value != ""}


def of_this_process(engine: EngineService) -> Callable[[], None]:
    """As `started`, by the variables of this process."""
    return started(os.environ, engine)
