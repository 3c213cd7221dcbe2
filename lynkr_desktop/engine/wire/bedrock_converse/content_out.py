"""Parts of a conversation as Converse's content blocks. Knows neither turns nor the top level."""

import base64
import re
from typing import Any, Final

from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import (
    DocumentPart,
    ImagePart,
    Native,
    OpaquePart,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.bedrock_converse.families import Family
from lynkr_desktop.engine.wire.bedrock_converse.turns import Block
from lynkr_desktop.engine.wire.contract import CannotCarryError
from lynkr_desktop.engine.wire.naming import ToolNames, fitting, is_foreign
from lynkr_desktop.json_reader import Fields

NO_OUTPUT: Final = "(no output)"
_ID_LIMIT: Final = 64
_TITLE_LIMIT: Final = 150
_IMAGES: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
_NOT_IN_TITLES: Final = re.compile(r"[^A-Za-z0-9\-()\[\] ]+")


class ContentRenderer:
    """Renders parts and tells `losses` what was left out."""

    def __init__(self, family: Family, names: ToolNames, losses: list[str]) -> None:
        self.called: dict[str, None] = {}  # the tools that the conversation has called, as Bedrock knows them
        self._family = family
        self._names = names
        self._losses = losses
        self._titles: set[str] = set()

    def blocks(self, parts: tuple[Part, ...]) -> list[Block]:
        """The blocks of a message, each followed by its cache point if it has one."""
        blocks: list[Block] = []
        for part in parts:
            block = self._block(part)
            if block is not None:
                blocks.append(block)
                blocks += [Block(point) for point in self.cache_points(part.native)]
        return blocks

    def cache_points(self, native: Native | None) -> list[dict[str, Any]]:
        """What stands for a client's cache marker: an element of its own, after the marked one. None without a marker."""
        marker = native.fragment.get("cache_control") if native is not None else None
        if marker is None or json_reader.kind_of(marker) != "object":
            return []
        if not self._family.takes_cache_points:
            self._losses.append("cache markers")
            return []
        point = {"type": "default"}
        if self._family.is_claude and Fields.parse(marker).text_or("ttl", "") == "1h":
            point["ttl"] = "1h"
        return [{"cachePoint": point}]

    def _block(self, part: Part) -> Block | None:
        match part:
            case ToolCallPart(id=call_id, name=name, arguments=arguments):
                renamed = self._names(name)
                self.called[renamed] = None
                call = {"toolUseId": _id(call_id), "name": renamed, "input": arguments_object(arguments)}
                return Block({"toolUse": call}, opens=call["toolUseId"])
            case ToolResultPart():
                return self._result(part)
            case ThinkingPart():
                return self._thinking(part)
            case _:
                body = self._content(part)
                return Block(body) if body is not None else None

    def _content(self, part: TextPart | ImagePart | DocumentPart | OpaquePart) -> dict[str, Any] | None:
        match part:
            case TextPart(text=text):
                return {"text": text} if text.strip() else None
            case ImagePart():
                kind = _IMAGES.get(part.media_type or "image/png")
                if kind is None:
                    raise CannotCarryError(f"Bedrock takes no pictures of the type {part.media_type}")
                return {"image": {"format": kind, "source": {"bytes": _bytes(part.base64)}}}
            case DocumentPart():
                return self._document(part)
            case OpaquePart(kind=kind):
                self._losses.append(f"{kind} content")
                return None

    def _document(self, part: DocumentPart) -> dict[str, Any]:
        if part.text is not None:
            kind: str | None = "txt"
            content = base64.b64encode(part.text.encode("utf-8", "replace")).decode()
        else:
            kind, content = _DOCUMENTS.get(part.media_type or "application/pdf"), _bytes(part.base64)
        if kind is None:
            raise CannotCarryError(f"Bedrock takes no documents of the type {part.media_type}")
        return {"document": {"format": kind, "name": self._title(part.title), "source": {"bytes": content}}}

    def _title(self, title: str | None) -> str:
        """A name of the few characters that Bedrock takes, and used once: the same conversation gives the same names."""
        plain = " ".join(_NOT_IN_TITLES.sub(" ", title or "").split())[:_TITLE_LIMIT].strip() or "document"
        name, number = plain, 1
        while name in self._titles:
            number += 1
            name = f"{plain} {number}"
        self._titles.add(name)
        return name

    def _result(self, part: ToolResultPart) -> Block:
        content = [inner for each in part.content if (inner := self._content(each)) is not None]
        body: dict[str, Any] = {"toolUseId": _id(part.call_id), "content": content or [{"text": NO_OUTPUT}]}
        if part.is_error and self._family.takes_status:
            body["status"] = "error"
        elif part.is_error:
            self._losses.append("the mark of a failed tool")
        return Block({"toolResult": body}, answers=body["toolUseId"])

    def _thinking(self, part: ThinkingPart) -> Block | None:
        """Claude wants its signed reasoning back and refuses any other; few other families take any."""
        is_signed = bool(part.signature) and not is_foreign(part.signature or "")
        if self._family.is_claude and part.redacted:
            return Block({"reasoningContent": {"redactedContent": part.redacted}})
        if self._family.is_claude and is_signed:
            return Block({"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}})
        if self._family.takes_unsigned_thinking and part.text.strip():
            return Block({"reasoningContent": {"reasoningText": {"text": part.text}}})
        self._losses.append("unsigned thinking" if self._family.is_claude else "reasoning of earlier turns")
        return None


def _id(call_id: str) -> str:
    return fitting(call_id, _ID_LIMIT) if call_id else "call"


def _bytes(content: str | None) -> str:
    if content is None:
        raise CannotCarryError("Bedrock takes files as bytes only, not by their address")
    return content


def arguments_object(arguments: str) -> Any:
    """Arguments as an object. What is not one (a call that was cut off) is kept as words, for the model to see."""
    text = arguments.strip() or "{}"
    if text.startswith("{") and json_reader.is_json(text):
        return Raw(text.encode("utf-8", "replace"))
    return {"unreadable_arguments": text}
