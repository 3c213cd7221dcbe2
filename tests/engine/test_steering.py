"""Mode and pins through the administration: what it says holds from the next request on, and for nobody without its token."""

from collections.abc import Callable

import pytest

from tests.fakes.caller import Caller
from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program, canary
from tests.fakes.script import Answer, Delivery, Ending, Say, say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
NAMES = ("claude-haiku-4-5", "claude-sonnet-4-5", "claude-sonnet-5", "claude-opus-5")
MODE, PINS = "/v1/admin/mode", "/v1/admin/pins"


@pytest.fixture
def program(headless: Start, anthropic_upstream: Upstream) -> Program:
    tiers = zip(("SIMPLE", "MEDIUM", "COMPLEX", "REASONING"), NAMES, strict=True)
    names = {f"TIER_{tier}": f"anthropic:{name}" for tier, name in tiers} | {"MODEL_PROVIDER": f"anthropic:{NAMES[1]}"}
    anthropic_upstream.always = say("hi")
    return headless(LYNKR_ADMIN_TOKEN=canary("administration"), **names, **account(anthropic_upstream))


@pytest.fixture
def admin(program: Program) -> Caller:
    return Caller(program.url, program.env["LYNKR_ADMIN_TOKEN"])


@pytest.fixture
def caller(program: Program) -> Caller:
    return Caller(program.url, program.token)


def _served(caller: Caller, path: str = MESSAGES.path) -> tuple[str, str]:
    headers = caller.post(path, MESSAGES.ask("hello")).headers
    return headers["x-lynkr-model"], headers["x-lynkr-routing-method"]


@pytest.mark.parametrize(
    ("mode", "served"),
    [
        ({"mode": "auto"}, (NAMES[0], "force")),
        ({"mode": "pin", "tier": "REASONING"}, (NAMES[3], "pin")),
        ({"mode": "direct"}, (NAMES[1], "direct")),
        ({"mode": "observe"}, (NAMES[1], "observe")),
    ],
)
def test_each_mode(admin: Caller, caller: Caller, mode: dict[str, str], served: tuple[str, str]) -> None:
    reply = admin.post(MODE, mode)
    assert (reply.status, reply.json) == (200, {"tier": None} | mode)
    assert admin.get(MODE).json == {"tier": None} | mode
    assert _served(caller) == served


def test_a_request_in_flight_keeps_its_model(admin: Caller, caller: Caller, anthropic_upstream: Upstream) -> None:
    """The next one obeys while it still streams."""
    held = Answer((Say("first"),), delivery=Delivery(Ending.HOLD, cut_before=b"message_stop"))
    anthropic_upstream.play(held, say("second"))
    with caller.stream(MESSAGES.path, MESSAGES.ask("hello", is_streamed=True)) as stream:
        stream.read_until(b"content_block_delta")
        assert admin.post(MODE, {"mode": "pin", "tier": "REASONING"}).status == 200
        assert _served(caller) == (NAMES[3], "pin")
        anthropic_upstream.chats[0].release()
        assert b"message_stop" in stream.rest()
        assert stream.headers["x-lynkr-model"] == NAMES[0]


def test_pins(admin: Caller, caller: Caller) -> None:
    made = admin.post(PINS, {"scope": "project:web", "tier": "COMPLEX", "minutes": 30})
    assert [each["scope"] for each in made.json["pins"]] == ["project:web"]
    assert _served(caller, "/p/web/v1/messages") == (NAMES[2], "pin")
    admin.post(PINS, {"scope": "project:web", "target": f"anthropic:{NAMES[3]}"})
    assert _served(caller, "/p/web/v1/messages") == (NAMES[3], "pin")
    assert admin.request("DELETE", f"{PINS}/project:web").json == {"pins": []}
    assert _served(caller, "/p/web/v1/messages") == (NAMES[0], "force")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (MODE, {"mode": "sideways"}),
        (MODE, {"mode": "pin"}),
        (MODE, {"mode": "direct", "tier": "SIMPLE"}),
        (MODE, {"tier": "SIMPLE"}),
        (PINS, {"scope": "everything", "tier": "SIMPLE"}),
        (PINS, {"scope": "all"}),
        (PINS, {"scope": "all", "target": "nobody:m"}),
        (PINS, {"scope": "all", "tier": "SIMPLE", "minutes": 0}),
        (PINS, {"scope": "all", "tier": "SIMPLE", "forever": True}),
    ],
)
def test_what_means_nothing_is_refused(admin: Caller, path: str, body: dict[str, object]) -> None:
    assert admin.post(path, body).status in {400, 409}
    assert admin.get(MODE).json == {"mode": "auto", "tier": None}
    assert admin.get(PINS).json == {"pins": []}
    assert admin.request("DELETE", f"{PINS}/all").status == 404


def test_programs_cannot_steer(caller: Caller) -> None:
    """Whoever may ask models may not change where they go; under a project's name neither."""
    for path in (MODE, PINS, f"/p/web{MODE}"):
        assert caller.post(path, {"mode": "direct"}).status in {401, 403, 404}
    assert _served(caller) == (NAMES[0], "force")


def test_a_program_is_pinned_by_its_token(admin: Caller, caller: Caller, program: Program) -> None:
    """A project that has a token of its own is told by it, whatever program uses it."""
    token = admin.post("/v1/admin/clients", {"name": "website"}).json["token"]
    admin.post(PINS, {"scope": "client:website", "tier": "REASONING"})
    assert _served(Caller(program.url, token)) == (NAMES[3], "pin")
    assert _served(caller) == (NAMES[0], "force")
