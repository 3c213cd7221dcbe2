"""One answer on its way to its client: in one piece or as a stream, metered, and closed however it ends."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from lynkr_desktop.engine import relay
from lynkr_desktop.engine.answer import Answer, Piece
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.exchange import OpenExchange
from lynkr_desktop.engine.metering import Meter, decimal_text
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.store.responses import Listener
from lynkr_desktop.engine.wire.table import WIRES, framing_of
from lynkr_desktop.errors import BusyError, UpstreamError


class Delivery:
    """`when_over` is called once, with the failure or None; whatever else ended it, the client has left."""

    def __init__(
        self,
        answer: Answer,
        request: ChatRequest,
        exchange: OpenExchange,
        facts: ModelFacts,
        when_over: "Callable[[Delivery, BaseException | None], None]",
        *,
        also_heard_by: Listener | None = None,
    ) -> None:
        self.answer = answer
        self.exchange = exchange
        self.has_begun = False  # has the client heard of success?
        self._request = request
        self._facts = facts
        self._when_over = when_over
        self._also_heard_by = also_heard_by
        self._meter = Meter()
        self._client_wire = WIRES[request.wire]

    async def whole(self) -> bytes:
        """The answer in one piece. Raises the failure: nothing has gone out yet."""
        try:
            body = await self._body()
        except BaseException as error:
            self._end(error)
            raise
        self._end(None)
        return body

    async def _body(self) -> bytes:
        answer = self.answer
        if self._request.is_streamed:  # of a server that cannot stream: the stream in one piece
            self._hear(answer.held[0])
            return self._client_wire.stream_renderer(self._request).feed(answer.held[0].events)
        if answer.prepared.is_relayed and answer.body is not None:
            self._hear(answer.held[0])
            return answer.body
        response = await answer.response(self._hear)
        return self._client_wire.render_response(response, self._request)

    async def stream(self) -> AsyncGenerator[bytes]:
        """The answer as it comes. A failure was told to the client inside the stream, which then just ends."""
        self.has_begun = True
        prepared = self.answer.prepared
        is_relayed = prepared.is_relayed and self._request.framing == framing_of(prepared.wire.NAME).name
        pass_on = relay.verbatim if is_relayed else relay.translated
        outcome: BaseException | None = None
        try:
            async with aclosing(pass_on(self.answer, self._request, self._client_wire, self._hear)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except (UpstreamError, BusyError) as error:
            outcome = error
        except BaseException as error:
            outcome = error
            raise
        finally:
            self._end(outcome)

    def _hear(self, piece: Piece) -> None:
        if piece.events:
            self._meter.hear(piece.events, self.exchange.elapsed_ms())
            if self._also_heard_by is not None:
                self._also_heard_by(piece.events, [frame.data for frame in piece.frames] or [piece.chunk])

    def _end(self, outcome: BaseException | None) -> None:
        """Hang up, count, tell."""
        self.answer.close()
        exchange, meter = self.exchange, self._meter
        exchange.first_token_ms = meter.first_token_ms
        exchange.usage = meter.usage_seen(exchange.rough_input_tokens)
        cost = meter.cost(self._facts, exchange.usage.input_tokens)
        exchange.cost_usd, exchange.cost_basis = cost.usd, cost.basis
        if exchange.trial_usd and cost.amount is not None:
            exchange.cost_usd = decimal_text(cost.amount + exchange.trial_usd)
        self._when_over(self, outcome)
