"""Fixtures for every test: scripted vendors, and the real program as a process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fakes.dialects import CHAT, MESSAGES
from tests.fakes.lab import PROMPT_CANARY, Lab, Pair
from tests.fakes.program import Program, canary
from tests.fakes.upstream import ANTHROPIC, OPENAI, Upstream, Vendor

settings.register_profile("untimed", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("untimed")


def _upstream(vendor: Vendor) -> Iterator[Upstream]:
    server = Upstream(vendor, canary(vendor.name)).start()
    yield server
    server.stop()
    _check(server)


def _check(server: Upstream) -> None:
    if not server.expects_complaints:
        assert server.complaints == [], f"{server.vendor.name} would have refused what was sent"


@pytest.fixture
def anthropic_upstream() -> Iterator[Upstream]:
    """A scripted server with the Anthropic Messages API's rules."""
    yield from _upstream(ANTHROPIC)


@pytest.fixture
def openai_upstream() -> Iterator[Upstream]:
    """A scripted server with the OpenAI Chat Completions API's rules."""
    yield from _upstream(OPENAI)


@pytest.fixture
def headless(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start the real program with some environment variables: `headless(MODEL_PROVIDER="openai", …)`.

    At the end it is stopped as a system would, and must leave no traceback, no key and no prompt behind.
    """
    programs: list[Program] = []

    def start(*, prefix: tuple[str, ...] = (), arguments: tuple[str, ...] = (), **env: str) -> Program:
        home = tmp_path / f"home{len(programs)}"
        home.mkdir()
        program = Program(home, env, prefix, arguments)
        programs.append(program)
        return program.wait_until_ready()

    yield start
    errors = [error for program in programs if (error := _ended(program)) is not None]
    if errors:
        raise errors[0]


def _ended(program: Program) -> AssertionError | None:
    try:
        keys = tuple(value for name, value in program.env.items() if name.endswith("_API_KEY") and value)
        program.check_end((*keys, PROMPT_CANARY))
    except AssertionError as error:
        return error
    return None


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Both vendors with a program each, for all tests that leave no trace in them."""
    whole = Lab(tmp_path_factory.mktemp("lab"))
    yield whole
    whole.close()


@pytest.fixture(
    params=[(MESSAGES, "anthropic"), (MESSAGES, "openai"), (CHAT, "openai"), (CHAT, "anthropic")],
    ids=["messages-anthropic", "messages-openai", "chat-openai", "chat-anthropic"],
)
def pair(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Each way through the program: both dialects of clients, to both vendors."""
    found = lab.pair(*request.param)
    yield found
    _check(found.upstream)


@pytest.fixture
def to_anthropic(lab: Lab) -> Iterator[Pair]:
    """An Anthropic client to the Anthropic vendor."""
    found = lab.pair(MESSAGES, "anthropic")
    yield found
    _check(found.upstream)


@pytest.fixture
def anthropic_to_openai(lab: Lab) -> Iterator[Pair]:
    """An Anthropic client to the OpenAI vendor."""
    found = lab.pair(MESSAGES, "openai")
    yield found
    _check(found.upstream)


@pytest.fixture
def to_openai(lab: Lab) -> Iterator[Pair]:
    """An OpenAI client to the OpenAI vendor."""
    found = lab.pair(CHAT, "openai")
    yield found
    _check(found.upstream)
