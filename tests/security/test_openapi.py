"""The endpoint does what its description says, whatever it is sent: schemathesis makes the requests and judges the answers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from lynkr_desktop.engine.surfaces import SURFACES
from tests.fakes.caller import PATIENCE, Caller
from tests.fakes.dialects import CHAT
from tests.fakes.program import ROOT, Program, canary
from tests.fakes.script import say
from tests.fakes.upstream import OPENAI, Upstream

FILE = ROOT / "lynkr_desktop" / "engine" / "data" / "openapi.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
EXAMPLES = 15
SEEN_ELSEWHERE = {("/health/ready", "get"): "503 is one of its good answers"}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class House:
    """A program that has served something, with an administration, before a provider that takes everything."""

    def __init__(self, home: Path) -> None:
        self.upstream = Upstream(OPENAI, "").start()
        self.upstream.expects_complaints = True
        self.upstream.always = say("pong")
        self.admin = canary("administration")
        base = {"OPENAI_COMPATIBLE_API_BASE": self.upstream.url, "MODEL_PROVIDER": "openai-compatible:m-1"}
        self.program = Program(home, base | {"LYNKR_ADMIN_TOKEN": self.admin}).wait_until_ready()
        self.caller = Caller(self.program.url, self.program.token)
        assert self.caller.post(CHAT.path, CHAT.ask("hi")).status == 200

    def close(self) -> None:
        self.upstream.stop()
        self.program.check_end((self.admin,))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("described"))
    yield house
    house.close()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_the_description_is_served_as_it_is_committed(house: House) -> None:
    assert house.caller.get("/openapi.json").json == DOCUMENT
    assert house.caller.request("GET", "/openapi.json", has_token=False).status == 401


def test_every_door_is_described() -> None:
    assert {surface.path for surface in SURFACES} <= set(DOCUMENT["paths"])


def test_every_page_is_described() -> None:
    """Whatever the modules of pages name as a path of theirs."""
    named: set[str] = set()
    for module in (ROOT / "lynkr_desktop" / "engine" / "admin").glob("*.py"):
        named |= set(re.findall(r'"(/(?:v1|v1beta|api|routing|metrics|health)[a-z0-9/_-]*)"', module.read_text(encoding="utf-8")))
    described = {path.partition("{")[0] for path in DOCUMENT["paths"]}
    assert {path for path in named if path not in {"/v1/", "/v1beta/", "/api/", "/v1/admin/"}} <= described


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_every_answer_is_as_described(
    house: House, session: requests.Session, path: str, method: str, mode: GenerationMode
) -> None:
    operation = schemathesis.openapi.from_dict(DOCUMENT)[path][method]
    is_administration = path.startswith("/v1/admin/")
    token = house.admin if is_administration else house.program.token
    judged = [check for check in CHECKS if check is not not_a_server_error or (path, method) not in SEEN_ELSEWHERE]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def ask(case: Case[Any]) -> None:
        reply = case.call(
            base_url=house.program.url, session=session, headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE
        )
        case.validate_response(reply, checks=judged)

    try:
        ask()
    except schemathesis.errors.InvalidSchema:
        raise
    except Exception as error:
        if type(error).__name__ == "Unsatisfiable":  # nothing about this operation can be wrong
            assert mode is GenerationMode.NEGATIVE
            return
        raise


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_what_needs_a_token_says_so(house: House, path: str, method: str) -> None:
    """The description's security is the truth: without a token, and with the other door's."""
    operation = DOCUMENT["paths"][path][method]
    is_open = operation.get("security") == []
    wrong = house.program.token if path.startswith("/v1/admin/") else house.admin
    place = re.sub(r"\{\w+\}", "x", path)
    for token in ("", wrong):
        status = Caller(house.program.url, token).request(method.upper(), place, {} if method == "post" else None).status
        assert (status != 401) is is_open
