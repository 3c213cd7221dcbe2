"""Turns of a Gemini request: own ones as they came, others translated. Knows nothing of the top level."""

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.request import (
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Native,
    OpaquePart,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from lynkr_desktop.engine.wire.contract import CannotCarryError
from lynkr_desktop.engine.wire.gemini.request_in import NAME
from lynkr_desktop.engine.wire.gemini.signatures import STAND_IN, unmarked
from lynkr_desktop.engine.wire.naming import ToolNames
from lynkr_desktop.json_reader import Fields, ShapeError

NO_RESULT: Final = "There is no result of this call in the conversation."
OPENING: Final = "(The conversation goes on.)"
_BILLING: Final = "x-anthropic-billing-header:"


class Abilities(NamedTuple):
    """What a generation of models takes. `thinking`: how it is told how much to think."""

    has_signatures: bool = False  # tool calls come with a signature, and must come back with it
    has_media_in_results: bool = False
    thinking: Literal["none", "budget", "level"] = "none"
    can_stop_thinking: bool = False


class Piece(NamedTuple):
    """A rendered part; the id of the call that it makes or answers, if it does."""

    body: Any
    opens: str = ""
    answers: str = ""
    name: str = ""  # the tool's, of a call


class Turn(NamedTuple):
    """One turn under construction."""

    role: str
    pieces: list[Piece]


class ContentsRenderer:
    """Renders turns and tells `losses` what was left out."""

    def __init__(self, abilities: Abilities, names: ToolNames, losses: list[str], *, is_own: bool) -> None:
        self._abilities = abilities
        self._names = names
        self._losses = losses
        self._is_own = is_own
        self._tool_of: dict[str, str] = {}  # call id → the tool's name at Google

    def system(self, request: ChatRequest) -> list[Any]:
        """The parts of the system instruction, turns that came later included. A leading billing line of Claude Code is left
        out: it changes with each request, so that no prompt would ever be found in a provider's cache."""
        parts = request.system[1:] if request.system and request.system[0].text.startswith(_BILLING) else request.system
        later = [part for message in request.messages if message.role == "system" for part in message.parts]
        if later:
            self._losses.append("the place of later system turns")
        texts = [part for part in (*parts, *later) if isinstance(part, TextPart) and part.text.strip()]
        self._declare_markers(texts)
        return [own(part.native) or {"text": part.text} for part in texts]

    def translated(self, request: ChatRequest) -> list[Any]:
        """All turns of a request of another wire: alternating, opened by the user, every call answered at once."""
        turns: list[Turn] = []
        for message in request.messages:
            if message.role == "system":
                continue
            role = "model" if message.role == "assistant" else "user"
            pieces = self._model(message.parts) if role == "model" else self._user(message.parts)
            if pieces and turns and turns[-1].role == role:
                turns[-1].pieces.extend(pieces)
            elif pieces:
                turns.append(Turn(role, pieces))
        if not turns or turns[0].role == "model":
            self._losses.append("an opening user turn was added")
            turns.insert(0, Turn("user", [Piece({"text": OPENING})]))
        return [
            {"role": turn.role, "parts": [piece.body for piece in turn.pieces]} for turn in self._paired(turns) if turn.pieces
        ]

    def _model(self, parts: Sequence[Part]) -> list[Piece]:
        pieces: list[Piece] = []
        signature: str | None = None  # of reasoning, waiting for the call that it belongs to
        for place, part in enumerate(parts):
            match part:
                case ThinkingPart():
                    signature = self._thought(part, parts[place + 1 :], pieces) or signature
                case ToolCallPart():
                    pieces.append(self._call(part, signature, is_first=not any(piece.opens for piece in pieces)))
                    signature = None
                case TextPart(text=text):
                    if text.strip():
                        pieces.append(Piece({"text": text}))
                case ImagePart() | DocumentPart():
                    pieces.append(Piece(self._media(part)))
                case OpaquePart(kind=kind):
                    self._losses.append(f"{kind} content")
                case ToolResultPart():
                    self._losses.append("a tool result of the assistant")
        return pieces

    def _thought(self, part: ThinkingPart, rest: Sequence[Part], pieces: list[Piece]) -> str | None:
        """Reasoning of a Gemini model goes back; its signature to the call that follows, if one does."""
        signature = unmarked(part.signature)
        if signature is None and not self._is_own:
            self._losses.append("thinking")
            return None
        if part.text:
            pieces.append(Piece({"text": part.text, "thought": True}))
        if signature is None or (rest and isinstance(rest[0], ToolCallPart)):
            return signature
        pieces.append(Piece({"text": "", "thoughtSignature": signature}))
        return None

    def _call(self, part: ToolCallPart, signature: str | None, *, is_first: bool) -> Piece:
        name = self._names(part.name)
        self._tool_of[part.id] = name
        body: dict[str, Any] = {"functionCall": {"id": part.id, "name": name, "args": self._arguments(part.arguments)}}
        if signature:
            body["thoughtSignature"] = signature
        elif is_first and self._abilities.has_signatures:
            body["thoughtSignature"] = STAND_IN
        return Piece(body, opens=part.id, name=name)

    def _arguments(self, arguments: str) -> Any:
        """Arguments as the object that they must be here; numbers keep their digits."""
        text = arguments.strip() or "{}"
        try:
            Fields.parse(text.encode())
        except ShapeError:
            self._losses.append("arguments of a tool call that are no object")
            return {}
        return Raw(text.encode())

    def _user(self, parts: Sequence[Part]) -> list[Piece]:
        """Results first, then what the user said."""
        results: list[Piece] = []
        media: list[Piece] = []
        said: list[Piece] = []
        for part in parts:
            match part:
                case ToolResultPart():
                    results.append(self._result(part, media))
                case TextPart(text=text):
                    if text.strip():
                        said.append(Piece({"text": text}))
                        self._declare_markers([part])
                case ImagePart() | DocumentPart():
                    said.append(Piece(self._media(part)))
                case OpaquePart(kind=kind):
                    self._losses.append(f"{kind} content")
                case _:
                    self._losses.append("an assistant's part in a user turn")
        return [*results, *media, *said]

    def _result(self, part: ToolResultPart, media: list[Piece]) -> Piece:
        """A function's response. Its words are always one string, so that text which merely looks like JSON stays text."""
        words: list[str] = []
        inside: list[Any] = []
        for inner in part.content:
            match inner:
                case TextPart(text=text):
                    words.append(text)
                case DocumentPart(text=str(text)):
                    words.append(f"{inner.title}\n\n{text}" if inner.title else text)
                case ImagePart() | DocumentPart():
                    self._put_media(inner, words, inside, media)
                case OpaquePart(kind=kind):
                    words.append(self._opaque_words(inner))
                    self._losses.append(f"{kind} content")
        text = "\n".join(word for word in words if word)
        function: dict[str, Any] = {"id": part.call_id, "name": self._tool_of.get(part.call_id, "unknown")}
        function["response"] = {"error" if part.is_error else "output": text}
        if inside:
            function["parts"] = inside
        self._declare_markers([part])
        return Piece({"functionResponse": function}, answers=part.call_id)

    def _put_media(self, part: ImagePart | DocumentPart, words: list[str], inside: list[Any], media: list[Piece]) -> None:
        """Inside the response that it belongs to where models take that; else right after the responses, under a label."""
        if self._abilities.has_media_in_results and part.base64 is not None:
            inside.append(self._media(part))
            return
        label = f"[attachment {len(media) // 2 + 1} of the tool results]"
        words.append(label)
        media.extend((Piece({"text": label}), Piece(self._media(part))))

    def _opaque_words(self, part: OpaquePart) -> str:
        """Claude Code's tool search answers with references to tools, all of which this wire has sent anyway."""
        name = part.native.fragment.get("tool_name")
        if part.kind != "tool_reference" or name is None or json_reader.kind_of(name) != "string":
            return ""
        return f"The tool {self._names(json_reader.decode(name))} is available."

    def _media(self, part: ImagePart | DocumentPart) -> dict[str, Any]:
        if isinstance(part, DocumentPart) and part.text is not None:
            return {"text": f"{part.title}\n\n{part.text}" if part.title else part.text}
        default = "image/png" if isinstance(part, ImagePart) else "application/pdf"
        if part.base64 is not None:
            return {"inlineData": {"mimeType": part.media_type or default, "data": part.base64}}
        if part.url is None:
            raise CannotCarryError("this provider needs a file's content, not its id at another provider")
        kind = {"mimeType": part.media_type} if part.media_type else {}
        return {"fileData": {**kind, "fileUri": part.url}}

    def _paired(self, turns: list[Turn]) -> list[Turn]:
        """Responses in the order of their calls, one for each, none without a call: Google counts them."""
        paired: list[Turn] = []
        waiting: list[Piece] = []
        for turn in turns:
            if turn.role == "user":
                paired.append(Turn("user", self._answers(turn.pieces, waiting)))
                waiting = []
                continue
            paired.append(turn)
            waiting = [piece for piece in turn.pieces if piece.opens]
        if waiting:
            paired.append(Turn("user", self._answers([], waiting)))
        return paired

    def _answers(self, pieces: list[Piece], waiting: list[Piece]) -> list[Piece]:
        given = {piece.answers: piece for piece in pieces if piece.answers}
        expected = {call.opens: call for call in waiting}
        if any(call_id not in expected for call_id in given):
            self._losses.append("a tool result without its call")
        if any(call_id not in given for call_id in expected):
            self._losses.append("a missing tool result was added")
        answers = [given.get(call_id) or _no_result(call) for call_id, call in expected.items()]
        return answers + [piece for piece in pieces if not piece.answers]

    def _declare_markers(self, parts: Sequence[TextPart | ToolResultPart]) -> None:
        if any(part.native is not None and "cache_control" in part.native.fragment for part in parts):
            self._losses.append("cache markers")

    def own(self, message: Message) -> dict[str, Any]:
        """A turn of this wire: its own keys, with parts that nobody changed as they came."""
        fragment = own(message.native)
        if fragment is None:
            role = "model" if message.role == "assistant" else "user"
            pieces = self._model(message.parts) if role == "model" else self._user(message.parts)
            return {"role": role, "parts": [piece.body for piece in pieces]}
        parts = [body for part in message.parts for body in self._bodies(message.role, part)]
        return {**fragment, "parts": parts} if parts or "parts" in fragment else {**fragment}

    def _bodies(self, role: str, part: Part) -> list[Any]:
        if isinstance(part, ToolCallPart):
            self._tool_of[part.id] = part.name
        fragment = own(part.native)
        if fragment is not None:
            return [fragment]
        return [piece.body for piece in (self._model([part]) if role == "assistant" else self._user([part]))]


def _no_result(call: Piece) -> Piece:
    function = {"id": call.opens, "name": call.name, "response": {"error": NO_RESULT}}
    return Piece({"functionResponse": function}, answers=call.opens)


def own(native: Native | None) -> dict[str, Raw] | None:
    """The original fragment if it is of this wire."""
    return native.fragment if native is not None and native.wire == NAME else None
