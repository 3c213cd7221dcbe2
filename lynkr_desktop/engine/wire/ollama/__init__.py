"""Ollama's own API (`/api/chat`, `/api/generate`): the wire as the rest of the house sees it. Only names; the work is beside."""

from lynkr_desktop.engine.wire.ollama.answer_out import (
    render_model,
    render_models,
    render_response,
    render_token_count,
    render_version,
    stream_renderer,
)
from lynkr_desktop.engine.wire.ollama.errors import parse_error, render_error
from lynkr_desktop.engine.wire.ollama.request_in import GENERATE, NAME, parse_request, parse_show
from lynkr_desktop.engine.wire.ollama.request_out import keep_alive, renamed, render_request, suits
from lynkr_desktop.engine.wire.ollama.stream_in import is_added, parse_response, stream_parser

__all__ = [
    "GENERATE",
    "NAME",
    "is_added",
    "keep_alive",
    "parse_error",
    "parse_request",
    "parse_response",
    "parse_show",
    "renamed",
    "render_error",
    "render_model",
    "render_models",
    "render_request",
    "render_response",
    "render_token_count",
    "render_version",
    "stream_parser",
    "stream_renderer",
    "suits",
]
