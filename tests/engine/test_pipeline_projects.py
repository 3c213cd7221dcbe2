"""Projects from outside: named by the path's beginning or a header, on every surface; pinned, budgeted, kept in the ledger."""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_budgets_served import WRITTEN, budgets_in
from tests.fakes.caller import Caller
from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import MODELS, account
from tests.fakes.program import Program
from tests.fakes.script import Answer, Say, say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
ASK = [{"role": "user", "content": "hello"}]
SURFACES: dict[str, dict[str, Any]] = {
    "/v1/messages": {"model": "m", "max_tokens": 9, "messages": ASK},
    "/v1/chat/completions": {"model": "m", "messages": ASK},
    "/v1/responses": {"model": "m", "input": "hello"},
    "/v1beta/models/m:generateContent": {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
    "/api/chat": {"model": "m", "stream": False, "messages": ASK},
}
NAMES = ("claude-haiku-4-5", "claude-sonnet-4-5", "claude-sonnet-5", "claude-opus-5")


def _tiers(upstream: Upstream) -> dict[str, str]:
    tiers = zip(("SIMPLE", "MEDIUM", "COMPLEX", "REASONING"), NAMES, strict=True)
    return {f"TIER_{tier}": f"anthropic:{name}" for tier, name in tiers} | account(upstream)


def _rows(program: Program, columns: str) -> list[tuple[object, ...]]:
    program.stop()
    with contextlib.closing(sqlite3.connect(program.data_dir / "ledger.db")) as connection:
        return connection.execute(f"SELECT {columns} FROM exchanges ORDER BY id").fetchall()


def test_every_surface_knows_the_project(headless: Start, anthropic_upstream: Upstream) -> None:
    anthropic_upstream.always = say("hi")
    program = headless(**_tiers(anthropic_upstream))
    caller = Caller(program.url, program.token)
    for path, body in SURFACES.items():
        assert caller.post(f"/p/web-shop{path}", body).status == 200
    assert caller.post("/p/web-shop/messages", SURFACES["/v1/messages"]).status == 200, "a missing /v1 is still put right"
    assert caller.post("/v1/messages", SURFACES["/v1/messages"], {"x-lynkr-project": "by-header"}).status == 200
    assert caller.post("/v1/messages", SURFACES["/v1/messages"], {"x-lynkr-project": "no name!"}).status == 200
    assert caller.get("/p/web-shop/v1/models").status == 200
    projects = [project for (project,) in _rows(program, "project")]
    assert projects == ["web-shop"] * 6 + ["by-header", ""]
    assert not any("x-lynkr-project" in each.headers for each in anthropic_upstream.chats), "that is between the client and us"


@pytest.mark.parametrize(
    "path", ["/p/web", "/p//v1/messages", "/p/a b/v1/messages", "/p/..%2f/v1/messages", f"/p/{65 * 'x'}/v1/messages"]
)
def test_what_is_no_project_is_no_path(headless: Start, anthropic_upstream: Upstream, path: str) -> None:
    program = headless(**_tiers(anthropic_upstream))
    assert Caller(program.url, program.token).post(path.replace(" ", "%20"), SURFACES["/v1/messages"]).status == 404


def test_a_pinned_project_and_a_pinned_session(headless: Start, anthropic_upstream: Upstream, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    pins = [
        {"scope": "project:web", "tier": "REASONING"},
        {"scope": "session:mine", "target": {"account": "anthropic", "model": NAMES[1]}},
        {"scope": "project:old", "tier": "REASONING", "until_ms": 1},
    ]
    (folder / "settings.json").write_text(json.dumps({"version": 1, "pins": pins}))
    anthropic_upstream.always = say("hi")
    program = headless(LYNKR_DATA_DIR=str(folder), **_tiers(anthropic_upstream))
    caller = Caller(program.url, program.token)
    ask = MESSAGES.ask("hello")
    pinned = caller.post("/p/web/v1/messages", ask)
    assert pinned.headers["x-lynkr-model"] == NAMES[3]
    assert pinned.headers["x-lynkr-routing-method"] == "pin"
    assert pinned.headers["x-lynkr-routing-reason"] == "REASONING: pinned by you for this project."
    narrower = caller.post("/p/web/v1/messages", ask, {"x-session-id": "mine"})
    assert narrower.headers["x-lynkr-model"] == NAMES[1]
    for free in (caller.post("/v1/messages", ask), caller.post("/p/old/v1/messages", ask)):
        assert (free.headers["x-lynkr-model"], free.headers["x-lynkr-routing-method"]) == (NAMES[0], "force")


def test_a_budget_of_one_project(headless: Start, anthropic_upstream: Upstream, tmp_path: Path) -> None:
    """Spent by one, free for the others; known again after a restart."""
    folder = budgets_in(tmp_path / "kept", {"amount_usd": "0.001", "scope": "project:web"})
    start = {"MODEL_PROVIDER": f"anthropic:{MODELS['anthropic']}", "LYNKR_DATA_DIR": folder} | account(anthropic_upstream)
    anthropic_upstream.always = Answer((Say("hi"),), tokens=WRITTEN)
    program = headless(**start)
    caller = Caller(program.url, program.token)
    ask = MESSAGES.ask("hello")
    assert caller.post("/p/web/v1/messages", ask).status == 200
    refused = caller.post("/p/web/v1/messages", ask)
    assert refused.status == 402
    assert "The daily budget of $0.001 for web is 502 % used" in refused.body.decode()
    assert caller.post("/p/other/v1/messages", ask).status == 200
    assert caller.post("/v1/messages", ask).status == 200
    program.stop()
    again = headless(**start)
    assert Caller(again.url, again.token).post("/p/web/v1/messages", ask).status == 402
