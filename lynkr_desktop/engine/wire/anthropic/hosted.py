"""A rendered Messages request in the form in which clouds take it: version and beta flags in the body, the model in the address.

Amazon's InvokeModel and Google's rawPredict serve Anthropic's own wire. What each refuses was read in their guides and in what
other gateways learnt, in November 2026.
"""

from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire.contract import Rendered
from lynkr_desktop.json_reader import Fields

_BEDROCK: Final = "bedrock-"
_TAKEN: Final = frozenset(  # by Bedrock; all else is refused as an extra input
    {
        *("max_tokens", "messages", "system", "stop_sequences", "temperature", "top_p", "top_k", "tools", "tool_choice"),
        *("thinking", "metadata", "output_config", "context_management"),
    }
)
_BEDROCK_EDITS: Final = frozenset({"clear_tool_uses_20250919", "compact_20260112"})
_REFUSED: Final = frozenset({"mcp_servers", "container", "service_tier", "speed", "inference_geo"})  # by both


def hosted(rendered: Rendered, version: str, headers: dict[str, str], *, is_streamed: bool) -> Rendered:
    """The request for a cloud that wants that `anthropic_version`. Takes out of `headers` what is in the body then."""
    fields = Fields.parse(rendered.body)
    is_amazon = version.startswith(_BEDROCK)
    dropped = [key for key in fields.raw if key in _REFUSED or (is_amazon and key not in _TAKEN | {"model", "stream"})]
    body: dict[str, Any] = {"anthropic_version": version}
    body |= {key: raw for key, raw in fields.raw.items() if key not in {*dropped, "model", "stream"}}
    losses = [f"the field {key}" for key in dropped]
    headers.pop("anthropic-version", None)
    if is_amazon:
        if betas := headers.pop("anthropic-beta", ""):
            body["anthropic_beta"] = betas.split(",")
        _keep_known_edits(body, fields, losses)
    elif is_streamed:
        body["stream"] = True
    if b'"scope"' in rendered.body:
        body |= {key: _without_scope(json_reader.decode(body[key])) for key in ("system", "tools", "messages") if key in body}
    return Rendered(json_reader.encode(body), (*rendered.losses, *losses), rendered.tool_names)


def _keep_known_edits(body: dict[str, Any], fields: Fields, losses: list[str]) -> None:
    management = fields.value("context_management") if fields.has("context_management") else None
    edits = management.get("edits") if isinstance(management, dict) else None
    if not isinstance(management, dict) or not isinstance(edits, list):
        return
    kept = [edit for edit in edits if isinstance(edit, dict) and edit.get("type") in _BEDROCK_EDITS]
    if len(kept) < len(edits):
        losses.append("context edits that Bedrock does not know")
    body["context_management"] = {**management, "edits": kept}
    if not kept:
        del body["context_management"]


def _without_scope(value: Any) -> Any:
    """Without the reach of cache markers, which clouds refuse."""
    if isinstance(value, list):
        return [_without_scope(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {name: each for name, each in inner.items() if name != "scope"}
        if key == "cache_control" and isinstance(inner, dict)
        else (inner if key in {"input", "input_schema"} else _without_scope(inner))
        for key, inner in value.items()
    }
