"""Schemas of tools, in the form that every vendor takes. Pure."""

from typing import Any, Final

import msgspec
from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.json_reader import Fields


class _Root(msgspec.Struct, gc=False):
    type: Raw = Raw()


_ROOT: Final = msgspec.json.Decoder(_Root)


def object_schema(schema: Raw | None) -> Any:
    """A tool's schema with a root type: vendors refuse a whole list of tools over one without."""
    if schema is None or json_reader.kind_of(schema) != "object":
        return {"type": "object", "properties": {}}
    if json_reader.present(json_reader.decode_with(_ROOT, schema).type):
        return schema
    return {"type": "object", **Fields.parse(schema).without("type")}
