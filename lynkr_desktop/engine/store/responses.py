"""What OpenAI would keep of answers for clients that go on from one by its id. In memory only: bounded, and gone at the end.

Only the Responses API has such clients. They send what is new and name the rest, which no model's server but OpenAI's own could
make anything of; so the rest is written out here, before anything else reads the request.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from lynkr_desktop.engine.chat.events import Finished, StreamEvent
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.chat.response import ResponseBuilder
from lynkr_desktop.engine.wire.openai_responses import continuing, render_response
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import Fields

MOST_ANSWERS: Final = 1000
MOST_BYTES: Final = 64 * 1024 * 1024
KEPT_SECONDS: Final = 6 * 3600.0
# Takes events as they come, and the texts of the frames, or of the whole body, that they were read from.
Listener = Callable[[Sequence[StreamEvent], Sequence[bytes]], None]


class _Kept(msgspec.Struct, frozen=True):
    """A finished answer: itself as JSON, the items before it and its own, and when it was kept."""

    answer: bytes
    earlier: tuple[Raw, ...]
    made: dict[str, Raw]
    size: int
    kept_at: float


class ResponsesStore:
    """Answers by their ids, the one used last going last. `clock` gives seconds that only rise."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._homes: dict[str, str] = {}  # item → answer
        self._bytes = 0

    def written_out(self, request: ChatRequest) -> ChatRequest:
        """The request with everything that it only names; itself if it names nothing. Raises `ClientError(400)`."""
        if elsewhere := continuing.kept_elsewhere(request):
            raise ClientError(
                f"What `{elsewhere}` names is kept at OpenAI and not known here.", "Send it whole as input instead."
            )
        previous = continuing.previous_id(request)
        if not previous and not continuing.item_references(request):
            return request
        earlier: Sequence[Raw] = ()
        if previous:
            kept = self._find(previous)
            if kept is None:
                raise _unknown("previous_response_id", previous)
            earlier = (*kept.earlier, *kept.made.values())
        return continuing.written_out(request, earlier, self._item)

    def listener(self, request: ChatRequest, *, is_relayed: bool = False) -> Listener | None:
        """What must hear the request's answer so that it is kept; None if it shall not be.

        Of an answer whose own bytes go to the client the provider's own items are kept: the client knows them by those ids, and
        OpenAI must get its reasoning back under them.
        """
        if not continuing.is_stored(request):
            return None
        builder = ResponseBuilder()

        def hear(events: Sequence[StreamEvent], texts: Sequence[bytes]) -> None:
            for event in events:
                builder.add(event)
                if isinstance(event, Finished):
                    own = continuing.finished_answer(texts) if is_relayed else None
                    self._keep(request, own or render_response(builder.response(), request))

        return hear

    def answer(self, answer_id: str) -> bytes | None:
        """A kept answer as JSON."""
        kept = self._find(answer_id)
        return None if kept is None else kept.answer

    def forget(self, answer_id: str) -> bool:
        """Drop an answer. False if there is none."""
        kept = self._kept.pop(answer_id, None)
        if kept is None:
            return False
        self._bytes -= kept.size
        for item_id in kept.made:
            self._homes.pop(item_id, None)
        return True

    def _find(self, answer_id: str) -> _Kept | None:
        self._drop_old()
        if answer_id in self._kept:
            self._kept.move_to_end(answer_id)
        return self._kept.get(answer_id)

    def _item(self, item_id: str) -> Raw:
        kept = self._find(self._homes.get(item_id, ""))
        if kept is None:
            raise _unknown("An item_reference", item_id)
        return kept.made[item_id]

    def _keep(self, request: ChatRequest, answer: bytes) -> None:
        answer_id = Fields.parse(answer).text("id")
        earlier, made = tuple(continuing.given_items(request)), continuing.made_items(answer)
        size = len(answer) * 2 + sum(len(item) for item in earlier)
        if size > MOST_BYTES:
            return
        self.forget(answer_id)
        self._kept[answer_id] = _Kept(answer, earlier, made, size, self._clock())
        self._bytes += size
        self._homes.update(dict.fromkeys(made, answer_id))
        self._drop_old()

    def _drop_old(self) -> None:
        """Those not used for long, and as many more as the bounds demand."""
        oldest = self._clock() - KEPT_SECONDS
        for answer_id in [each for each, kept in self._kept.items() if kept.kept_at < oldest]:
            self.forget(answer_id)
        while len(self._kept) > MOST_ANSWERS or self._bytes > MOST_BYTES:
            self.forget(next(iter(self._kept)))


def _unknown(what: str, name: str) -> ClientError:
    return ClientError(
        f"{what} names something that is not known here: {name[:100]!r}.",
        "Lynkr keeps answers for six hours at most and forgets them when it ends. Send the whole conversation as input.",
    )
