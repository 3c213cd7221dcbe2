"""Anthropic's Messages API: the wire as the rest of the house sees it. Only names; the work is in the modules beside."""

from lynkr_desktop.engine.wire.anthropic.errors import parse_error, render_error
from lynkr_desktop.engine.wire.anthropic.request_in import NAME, parse_request
from lynkr_desktop.engine.wire.anthropic.request_out import renamed, render_request, suits
from lynkr_desktop.engine.wire.anthropic.response_out import render_response, render_token_count
from lynkr_desktop.engine.wire.anthropic.stream_in import is_added, parse_response, stream_parser
from lynkr_desktop.engine.wire.anthropic.stream_out import stream_renderer

__all__ = [
    "NAME",
    "is_added",
    "parse_error",
    "parse_request",
    "parse_response",
    "renamed",
    "render_error",
    "render_request",
    "render_response",
    "render_token_count",
    "stream_parser",
    "stream_renderer",
    "suits",
]
