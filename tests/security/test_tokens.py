"""Tokens of single programs and the administration, from outside: each opens its own door, and is shut out at once."""

import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lynkr_desktop.config.client_tokens import fingerprint, new_token, with_token, without_token
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Settings
from lynkr_desktop.engine.doorkeeper import Doorkeeper
from lynkr_desktop.errors import ConfigError
from tests.engine.test_budgets_served import MODEL, WRITTEN
from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES, Dialect
from tests.fakes.lab import account
from tests.fakes.program import Program, canary, files_below
from tests.fakes.script import Answer, Delivery, Ending, Say, say
from tests.fakes.upstream import Upstream
from tests.rig.desk import until

Start = Callable[..., Program]
CLIENTS = "/v1/admin/clients"
ADMIN_PAGES = (("GET", CLIENTS), ("POST", CLIENTS), ("DELETE", f"{CLIENTS}/x"), ("POST", "/v1/admin/reload"))
TODAY = datetime.date(2026, 11, 22)


@dataclass
class House:
    """A program with an administration."""

    program: Program
    admin: Caller
    upstream: Upstream

    def caller(self, token: str) -> Caller:
        return Caller(self.program.url, token)

    @property
    def shared(self) -> Caller:
        return self.caller(self.program.token)

    def make(self, name: str) -> str:
        reply = self.admin.post(CLIENTS, {"name": name})
        assert reply.status == 201, reply.body
        token: str = reply.json["token"]
        return token


@pytest.fixture
def house(headless: Start, anthropic_upstream: Upstream) -> Iterator[House]:
    admin = canary("administration")
    program = headless(MODEL_PROVIDER=f"anthropic:{MODEL}", LYNKR_ADMIN_TOKEN=admin, **account(anthropic_upstream))
    yield House(program, Caller(program.url, admin), anthropic_upstream)
    program.check_end((admin,))


@pytest.mark.parametrize("dialect", DIALECTS, ids=["messages", "chat"])
def test_04_each_program_has_its_own_token_and_its_name_is_in_the_ledger(house: House, dialect: Dialect) -> None:
    token = house.make("build-server")
    reply = house.caller(token).post(dialect.path, dialect.ask("hi"), {"user-agent": "claude-cli/2.0"})
    assert reply.status == 200
    rows = "/v1/routing/telemetry"
    until(lambda: house.shared.get(rows).json["rows"], "the row")
    assert house.shared.get(rows).json["rows"][0]["client"] == "build-server"


def test_04_revoking_holds_from_the_next_request_on_and_cuts_nothing_off(house: House) -> None:
    token, other = house.make("build-server"), house.make("notebook")
    house.upstream.play(Answer((Say("one two three four", pieces=4),), delivery=Delivery(Ending.HOLD, cut_after=4)))
    with house.caller(token).stream(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"one")
        assert house.admin.request("DELETE", f"{CLIENTS}/build-server").json == {"name": "build-server", "revoked": True}
        assert house.caller(token).post(MESSAGES.path, MESSAGES.ask("hi")).status == 401
        house.upstream.received[-1].release()
        assert b"message_stop" in stream.rest()
    assert house.caller(other).post(MESSAGES.path, MESSAGES.ask("hi")).status == 200
    assert house.admin.request("DELETE", f"{CLIENTS}/build-server").status == 404
    assert [each["name"] for each in house.admin.get(CLIENTS).json["clients"]] == ["notebook"]


def test_04_a_new_token_replaces_the_old_one(house: House) -> None:
    old, new = house.make("notebook"), house.make("notebook")
    assert house.caller(old).get("/v1/models").status == 401
    assert house.caller(new).get("/v1/models").status == 200


def test_04_tokens_outlive_the_program_and_are_nowhere_in_the_clear(house: House, headless: Start) -> None:
    token = house.make("notebook")
    shown = house.admin.get(CLIENTS).body + house.shared.get("/v1/config").body
    assert token.encode() not in shown
    assert fingerprint(token).hex().encode() not in shown
    assert house.program.stop() == 0
    holding = [path.name for path in files_below(house.program.home) if token.encode() in path.read_bytes()]
    assert holding == []
    again = headless(
        MODEL_PROVIDER=f"anthropic:{MODEL}", LYNKR_DATA_DIR=house.program.env["LYNKR_DATA_DIR"], **account(house.upstream)
    )
    assert Caller(again.url, token).post(MESSAGES.path, MESSAGES.ask("hi")).status == 200


def test_04_a_budget_of_a_program_holds_it_and_nobody_else(house: House) -> None:
    file = Path(house.program.env["LYNKR_DATA_DIR"]) / "settings.json"
    token = house.make("notebook")
    kept = json.loads(file.read_text())
    kept["budgets"] = [{"amount_usd": "0.005", "scope": "client:notebook"}]
    file.write_text(json.dumps(kept))
    assert house.admin.post("/v1/admin/reload", {}).json == {"reloaded": True}
    house.upstream.always = Answer((Say("hi"),), tokens=WRITTEN)
    named = {"user-agent": "somebody-else/1.0"}
    statuses = [house.caller(token).post(MESSAGES.path, MESSAGES.ask("hi"), named).status for _ in range(2)]
    assert statuses == [200, 402], "whatever it calls itself"
    assert house.shared.post(MESSAGES.path, MESSAGES.ask("hi")).status == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"name": 1}', b'{"name": "A b"}', b'{"name": "../x"}', b"{"])
def test_04_names_that_cannot_be_used(house: House, body: bytes) -> None:
    reply = house.admin.request("POST", CLIENTS, body, {"content-type": "application/json"})
    assert reply.status in {400, 409}
    assert house.admin.get(CLIENTS).json == {"clients": []}


@pytest.mark.parametrize(("method", "path"), ADMIN_PAGES)
def test_05_no_token_of_a_program_administers(house: House, method: str, path: str) -> None:
    body = {"name": "thief"} if method == "POST" else None
    for token in (house.program.token, house.make("notebook"), "", "nonsense"):
        assert house.caller(token).request(method, path, body).status == 401
    assert [each["name"] for each in house.admin.get(CLIENTS).json["clients"]] == ["notebook"]


@pytest.mark.parametrize(
    "path",
    [
        "/p/x/v1/admin/clients",
        "/v1/v1/admin/clients",
        "//v1/admin/clients",
        "/v1//admin/clients",
        "/v1/%61dmin/clients",
        "/v1/admin/clients/",
        "/v1/x/../admin/clients",
        "/V1/ADMIN/clients",
        "/admin/clients",
    ],
)
def test_05_no_other_spelling_of_the_address_leads_there(house: House, path: str) -> None:
    for method, body in (("GET", None), ("POST", {"name": "thief"})):
        assert house.shared.request(method, path, body).status in {401, 404}
    assert house.admin.get(CLIENTS).json == {"clients": []}


def test_05_the_administration_uses_no_models(house: House) -> None:
    assert house.admin.post(CHAT.path, CHAT.ask("hi")).status == 401
    assert house.admin.get("/v1/models").status == 401
    assert house.upstream.received == []


@pytest.mark.parametrize(("method", "path"), ADMIN_PAGES)
def test_05_without_its_token_there_is_no_administration(
    headless: Start, anthropic_upstream: Upstream, method: str, path: str
) -> None:
    program = headless(MODEL_PROVIDER=f"anthropic:{MODEL}", **account(anthropic_upstream))
    body = {"name": "thief"} if method == "POST" else None
    assert Caller(program.url, program.token).request(method, path, body).status == 404
    assert Caller(program.url, "").request(method, path, body).status == 401


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"content-type": "text/plain"}])
def test_05_the_administration_is_as_closed_to_web_pages(house: House, headers: dict[str, str]) -> None:
    assert house.admin.post(CLIENTS, {"name": "x"}, headers).status in {403, 415}
    assert house.admin.get(CLIENTS).json == {"clients": []}


def test_reload_takes_the_file_and_refuses_a_broken_one(house: House) -> None:
    file = Path(house.program.env["LYNKR_DATA_DIR"]) / "settings.json"
    token = house.make("notebook")
    good = file.read_bytes()
    file.write_bytes(good[:-20])
    reply = house.admin.post("/v1/admin/reload", {})
    assert reply.status == 409
    assert b"not valid JSON" in reply.body
    assert house.caller(token).post(MESSAGES.path, MESSAGES.ask("hi")).status == 200, "what was in use is in use"
    file.write_bytes(good.replace(b"notebook", b"laptop"))
    assert house.admin.post("/v1/admin/reload", {}).status == 200
    assert [each["name"] for each in house.admin.get(CLIENTS).json["clients"]] == ["laptop"]


def test_breakers_can_be_closed(house: House) -> None:
    house.upstream.expects_complaints = True
    house.upstream.always = Answer(delivery=Delivery(Ending.RESET, cut_after=1))
    state = "/metrics/circuit-breakers"
    while house.shared.get(state).json["circuit_breakers"][f"anthropic:{MODEL}"] == "closed":
        house.shared.post(MESSAGES.path, MESSAGES.ask("hi"))
    assert house.admin.post("/v1/admin/circuit-breakers/reset?provider=nobody", {}).status == 404
    assert house.admin.post("/v1/admin/circuit-breakers/reset?provider=anthropic", {}).json == {"reset": 1}
    assert house.shared.get(state).json["circuit_breakers"][f"anthropic:{MODEL}"] == "closed"
    house.upstream.always = say("well again")
    assert house.shared.post(MESSAGES.path, MESSAGES.ask("hi")).status == 200


def test_the_doorkeeper_holds_no_token_and_knows_each() -> None:
    shared, mine, admin = new_token(), new_token(), new_token()
    settings = with_token(Settings(), "mine", mine, TODAY)
    keeper = Doorkeeper(shared, settings.client_tokens)
    keeper.use_for_administration(admin)
    for token, name in ((shared, ""), (mine, "mine"), (admin, None), (Secret("x"), None), (Secret("\udcff"), None)):
        for headers in ({"x-api-key": token.reveal()}, {"authorization": f"bearer  {token.reveal()} "}):
            assert keeper.program(headers) == name
            assert keeper.is_administrator(headers) is (token is admin)
    held = repr(vars(keeper))
    assert all(token.reveal() not in held for token in (shared, mine, admin))
    keeper.use(None, without_token(settings, "mine").client_tokens)
    assert keeper.program({"x-api-key": mine.reveal()}) is None
    with pytest.raises(ConfigError):
        without_token(Settings(), "mine")
