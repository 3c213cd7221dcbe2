"""A whole set-up: both scripted vendors, and the program twice, each leading to one of them. Started once for many tests."""

from dataclasses import dataclass
from pathlib import Path

from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from tests.fakes.caller import Caller, Reply
from tests.fakes.dialects import Dialect, Heard
from tests.fakes.program import Program, canary
from tests.fakes.upstream import ANTHROPIC, OPENAI, Upstream

MODELS = {"anthropic": "claude-haiku-4-5", "openai": "gpt-4o-mini"}
PROMPT_CANARY = "canary-of-the-prompt-7f3a"


@dataclass(frozen=True, slots=True)
class Pair:
    """A client's dialect and a vendor: one way through the program."""

    dialect: Dialect
    upstream: Upstream
    program: Program

    @property
    def is_same_wire(self) -> bool:
        """Do client and vendor speak the same?"""
        return (self.dialect.name == "messages") == (self.upstream.vendor.name == "anthropic")

    @property
    def caller(self) -> Caller:
        """A client of the program."""
        return Caller(self.program.url, self.program.token)

    def send(self, body: object, headers: dict[str, str] | None = None) -> Reply:
        """POST in the dialect; must succeed."""
        reply = self.caller.post(self.dialect.path, body, headers)
        assert reply.status == 200, reply.body
        return reply

    def hear(self, body: object) -> Heard:
        """POST in the dialect and understand the answer."""
        return self.dialect.heard(self.send(body))


class Lab:
    """Both vendors, and a program in Direct mode for each."""

    def __init__(self, home: Path) -> None:
        self.upstreams = {vendor.name: Upstream(vendor, canary(vendor.name)).start() for vendor in (ANTHROPIC, OPENAI)}
        self.programs: dict[str, Program] = {}
        for name in self.upstreams:
            folder = home / name
            folder.mkdir()
            self.programs[name] = Program(folder, {"MODEL_PROVIDER": f"{name}:{MODELS[name]}"} | account(self.upstreams[name]))
        for program in self.programs.values():
            program.wait_until_ready()

    def pair(self, dialect: Dialect, vendor: str) -> Pair:
        """One way through, with clean records."""
        self.upstreams[vendor].reset()
        return Pair(dialect, self.upstreams[vendor], self.programs[vendor])

    def close(self) -> None:
        """Stop everything, and check what the programs left behind."""
        keys = [upstream.key for upstream in self.upstreams.values()]
        for program in self.programs.values():
            program.stop()
        for upstream in self.upstreams.values():
            upstream.stop()
        for program in self.programs.values():
            program.check_end((*keys, PROMPT_CANARY))


def account_name(upstream: Upstream) -> str:
    """The account that the variables make of a scripted vendor: a vendor's second door has the name of its first."""
    name = upstream.vendor.name
    return next((entry.id for entry in PROVIDERS.values() if entry.twin == name), name)


def account(upstream: Upstream) -> dict[str, str]:
    """The variables that make a scripted vendor an account of the program."""
    name = upstream.vendor.name
    env = PROVIDERS[account_name(upstream)].env
    if account_name(upstream) == name:
        return {env.key: upstream.key, env.base: upstream.url}
    return {env.key: upstream.key, env.endpoint: upstream.url + PROVIDERS[name].chat_path}
