"""Google's Gemini API (`generateContent`): the wire as the rest of the house sees it. Only names; the work is beside."""

from lynkr_desktop.engine.wire.gemini.errors import parse_error, render_error
from lynkr_desktop.engine.wire.gemini.request_in import NAME, parse_request
from lynkr_desktop.engine.wire.gemini.request_out import renamed, render_request, suits
from lynkr_desktop.engine.wire.gemini.response_out import model_object, render_models, render_response, render_token_count
from lynkr_desktop.engine.wire.gemini.stream_in import is_added, parse_response, stream_parser
from lynkr_desktop.engine.wire.gemini.stream_out import stream_renderer

__all__ = [
    "NAME",
    "is_added",
    "model_object",
    "parse_error",
    "parse_request",
    "parse_response",
    "renamed",
    "render_error",
    "render_models",
    "render_request",
    "render_response",
    "render_token_count",
    "stream_parser",
    "stream_renderer",
    "suits",
]
