"""Amazon Bedrock's Converse API: a wire towards providers only. Only names; the work is beside."""

from lynkr_desktop.engine.wire.bedrock_converse.errors import parse_error
from lynkr_desktop.engine.wire.bedrock_converse.families import NAME
from lynkr_desktop.engine.wire.bedrock_converse.request_out import render_request
from lynkr_desktop.engine.wire.bedrock_converse.stream_in import parse_response, stream_parser

__all__ = ["NAME", "parse_error", "parse_response", "render_request", "stream_parser"]
