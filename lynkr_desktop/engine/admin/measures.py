"""The pages under `/metrics`: counters for Prometheus and as JSON, breakers, how full it is. Reads only."""

import asyncio
import time
from typing import Any, Final

import msgspec

from lynkr_desktop.engine.admin.observation import Sources, targets_of
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.pipeline import Reply
from lynkr_desktop.json_reader import encode

_JSON: Final = "application/json"


class Measures:
    """Answers by path."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._exposition: Any = None  # made at the first scrape: most users never have one, and the library takes its time

    async def page(self, path: str, inbound: Inbound) -> Reply | None:
        """The answer to a GET; None if there is no such page."""
        match path:
            case "/metrics" if inbound.headers.get("accept", "").startswith(_JSON):
                return await self._rows()
            case "/metrics" | "/metrics/prometheus":
                content_type, text = (await self._made()).text(inbound.headers.get("accept", ""))
                return Reply(200, {"content-type": content_type}, text)
            case "/metrics/observability":
                return await self._rows()
            case "/metrics/circuit-breakers":
                return _json({"circuit_breakers": self._breakers()})
            case "/metrics/load-shedding":
                return _json(msgspec.to_builtins(self._sources.crowd()))
        return None

    async def _rows(self) -> Reply:
        return _json({"metrics": (await self._made()).rows()})

    async def _made(self) -> Any:
        if self._exposition is None:
            self._exposition = await asyncio.to_thread(self._make)
        return self._exposition

    def _make(self) -> Any:
        from lynkr_desktop.engine.admin.exposition import Exposition, Moment  # noqa: PLC0415  see above

        sources = self._sources
        return Exposition(sources.metrics, lambda: Moment(time.monotonic(), sources.budgets(), sources.crowd()))

    def _breakers(self) -> dict[str, str]:
        now, breakers = time.monotonic(), self._sources.breakers
        return {str(target): breakers.state(target, now).value for target in dict.fromkeys(targets_of(self._sources.settings()))}


def _json(value: dict[str, Any]) -> Reply:
    return Reply(200, {"content-type": _JSON}, encode(value))
