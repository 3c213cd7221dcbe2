"""What a request leaves to OpenAI's memory, and a request in which that is written out. Pure; the memory itself is elsewhere."""

from collections.abc import Callable, Sequence

from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.wire.openai_responses.request_in import input_items, parse_request
from lynkr_desktop.engine.wire.openai_responses.tools import NAME
from lynkr_desktop.json_reader import Fields


def is_stored(request: ChatRequest) -> bool:
    """Does the client want to go on from the answer by its id? In this wire it does unless it says no."""
    return request.wire == NAME and Fields(request.fields).optional("store", bool) is not False


def previous_id(request: ChatRequest) -> str:
    """The id of the answer from which the request goes on; empty if it brings all that it needs."""
    return Fields(request.fields).text_or("previous_response_id", "") if request.wire == NAME else ""


def kept_elsewhere(request: ChatRequest) -> str:
    """A field that names what only OpenAI's own memory holds; empty if there is none."""
    fields = Fields(request.fields if request.wire == NAME else {})
    return next((key for key in ("conversation", "prompt") if fields.has(key)), "")


def item_references(request: ChatRequest) -> list[str]:
    """The ids of items that are only named."""
    if request.wire != NAME or b"item_reference" not in request.body:
        return []
    return [item.text_or("id", "") for item in input_items(Fields(request.fields)) if _is_reference(item)]


def _is_reference(item: Fields) -> bool:
    return item.text_or("type", "") == "item_reference"


def written_out(request: ChatRequest, earlier: Sequence[Raw], item_of: Callable[[str], Raw]) -> ChatRequest:
    """The request with the items before it in full, and with the items that it only names."""
    items = [item_of(item.text_or("id", "")) if _is_reference(item) else item.raw for item in input_items(Fields(request.fields))]
    fields = {key: raw for key, raw in request.fields.items() if key != "previous_response_id"}
    return parse_request(json_reader.encode({**fields, "input": [*earlier, *items]}))


def given_items(request: ChatRequest) -> list[Raw]:
    """All input items, each as JSON."""
    return [Raw(json_reader.encode(item.raw)) for item in input_items(Fields(request.fields))]


def finished_answer(texts: Sequence[bytes]) -> bytes | None:
    """The finished answer as its provider wrote it, out of a stream's last events or the whole body; None if it is in neither."""
    for text in reversed(texts):
        found = Fields.parse(text)
        answer = found.optional_fields("response") or found
        if answer.text_or("id", "") and answer.has("output"):
            return json_reader.encode(answer.raw)
    return None


def made_items(answer: bytes) -> dict[str, Raw]:
    """The output items of an answer by their ids."""
    return {item.text_or("id", ""): Raw(json_reader.encode(item.raw)) for item in Fields.parse(answer).objects("output")}
