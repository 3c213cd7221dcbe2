"""Health and lists: reads, formats, nothing else. No policy, and no secret in any answer."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any, Final

from lynkr_desktop import __version__
from lynkr_desktop.config.settings import TIERS
from lynkr_desktop.engine.admin.measures import Measures
from lynkr_desktop.engine.admin.observation import Observation, Sources
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.pipeline import Reply
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.store.responses import ResponsesStore
from lynkr_desktop.engine.wire import gemini, ollama
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import encode

MODEL_NAMES: Final = ("lynkr-auto", *(f"lynkr-{tier.value.lower()}" for tier in TIERS))
_CREATED: Final = 1764547200  # 2025-12-01; clients want a number, nothing depends on it
_USUAL_WINDOW: Final = 131_072  # told where no target's window is known
_CREATED_TEXT: Final = "2025-12-01T00:00:00Z"


class Admin:
    """The pages beside the models' doors. `plan` gives the plan in force, `check_accounts` asks each account if it is there."""

    def __init__(
        self,
        plan: Callable[[], Plan],
        check_accounts: Callable[[], Awaitable[dict[str, str]]],
        ledger_trouble: Callable[[], str],
        responses: ResponsesStore,
        sources: Sources,
    ) -> None:
        self._plan = plan
        self._check_accounts = check_accounts
        self._ledger_trouble = ledger_trouble
        self._responses = responses
        self._observation = Observation(sources)
        self._measures = Measures(sources)
        self.is_stopping = False

    async def page(self, method: str, path: str, inbound: Inbound) -> Reply | None:
        """The answer of a path; None if there is no such page."""
        if path.startswith("/v1/responses/"):
            return self._kept_answer(method, path.removeprefix("/v1/responses/"))
        if path.startswith(("/api/", "/v1beta/")) or (path.startswith("/v1/models") and inbound.wire == "gemini"):
            return self._list_elsewhere(method, path.replace("/v1/", "/v1beta/", 1), inbound)
        if method not in ("GET", "HEAD"):
            return None
        if path.startswith("/v1/models"):
            return self._listed(path, is_anthropic=inbound.wire == "anthropic")
        match path:
            case "/":
                return _json({"service": "lynkr-desktop", "version": __version__, "status": self._status()})
            case "/health":
                return _json({"status": self._status(), "version": __version__})
            case "/health/live":
                return _json({"status": "alive"})
            case "/health/ready":
                return await self._ready("deep=true" in inbound.query)
            case "/openapi.json":
                return _raw(await asyncio.to_thread(_description))
        return await self._measures.page(path, inbound) or await self._observation.page(path, inbound.query)

    def _listed(self, path: str, *, is_anthropic: bool) -> Reply | None:
        """The list of models, or one of it."""
        if path == "/v1/models":
            return _json(self._models(is_anthropic=is_anthropic))
        return self._model(path.removeprefix("/v1/models/"), is_anthropic=is_anthropic)

    def _kept_answer(self, method: str, answer_id: str) -> Reply | None:
        """An answer of the Responses API that is kept for its client, or the end of it. Nothing else can be done with it here."""
        if method in ("GET", "HEAD") and (answer := self._responses.answer(answer_id)) is not None:
            return Reply(200, {"content-type": "application/json"}, answer)
        if method == "DELETE" and self._responses.forget(answer_id):
            return _json({"id": answer_id, "object": "response", "deleted": True})
        return None

    def _status(self) -> str:
        return "shutting_down" if self.is_stopping else "ok"

    async def _ready(self, is_deep: bool) -> Reply:
        checks: dict[str, str] = {"server": self._status(), "ledger": self._ledger_trouble() or "ok"}
        plan = self._plan()
        if not plan.accesses:
            checks["accounts"] = "no provider is set up"
        elif not (plan.settings.routing.direct or any(map(plan.settings.routing.tiers.of, TIERS))):
            checks["routing"] = "no model is chosen: set MODEL_PROVIDER, or a model for each of the four tiers"
        if is_deep:
            checks |= {f"account {name}": state for name, state in (await self._check_accounts()).items()}
        is_ready = all(state == "ok" for state in checks.values())
        status = self._status() if self.is_stopping else "not_ready"
        return _json({"status": "ready" if is_ready else status, "checks": checks}, 200 if is_ready else 503)

    def _names(self) -> list[str]:
        routing = self._plan().settings.routing
        targets = [str(target) for tier in TIERS for target in routing.tiers.of(tier)]
        return list(dict.fromkeys([*MODEL_NAMES, *targets, *([str(routing.direct)] if routing.direct else [])]))

    def _list_elsewhere(self, method: str, path: str, inbound: Inbound) -> Reply | None:
        """The same lists where programs of Google's and Ollama's kind look for them."""
        match ("GET" if method == "HEAD" else method, path):
            case ("GET", "/v1beta/models"):
                return _raw(gemini.render_models(self._names()))
            case ("GET", "/api/tags"):
                return _raw(ollama.render_models(self._names()))
            case ("GET", "/api/ps"):
                return _raw(ollama.render_models(()))
            case ("GET", "/api/version"):
                return _raw(ollama.render_version())
            case ("POST", "/api/show"):
                return self._shown(inbound)
        name = path.removeprefix("/v1beta/models/")
        return _json(gemini.model_object(name)) if method == "GET" and name in self._names() else None

    def _shown(self, inbound: Inbound) -> Reply:
        """One model in Ollama's words. Its window is the smallest of the tiers' first targets: any of them may serve."""
        name = ollama.parse_show(inbound.body)
        if name not in self._names():
            raise ClientError(f"There is no model named {name[:100]!r}.", "The names are listed at /api/tags.", status=404)
        plan = self._plan()
        facts = [plan.facts_of(target) for tier in TIERS for target in plan.settings.routing.tiers.of(tier)[:1]]
        windows = [each.context_tokens for each in facts if each.context_tokens]
        takes_images = any(each.takes_images for each in facts)
        return _raw(ollama.render_model(min(windows, default=_USUAL_WINDOW), takes_images=takes_images))

    def _models(self, *, is_anthropic: bool) -> dict[str, Any]:
        names = self._names()
        entries = [_entry(name, is_anthropic=is_anthropic) for name in names]
        if is_anthropic:
            return {"data": entries, "has_more": False, "first_id": names[0], "last_id": names[-1]}
        return {"object": "list", "data": entries}

    def _model(self, name: str, *, is_anthropic: bool) -> Reply | None:
        return _json(_entry(name, is_anthropic=is_anthropic)) if name in self._names() else None


def _description() -> bytes:
    """All of these pages and the models' doors, as OpenAPI describes them."""
    return resources.files("lynkr_desktop.engine.data").joinpath("openapi.json").read_bytes()


def _entry(name: str, *, is_anthropic: bool) -> dict[str, Any]:
    if is_anthropic:
        return {"type": "model", "id": name, "display_name": name, "created_at": _CREATED_TEXT}
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "lynkr"}


def _raw(body: bytes) -> Reply:
    return Reply(200, {"content-type": "application/json"}, body)


def _json(value: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, {"content-type": "application/json"}, encode(value))
