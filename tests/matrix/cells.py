"""Play the cells: each lane has one vendor's wire and one proxy, and plays its cells one after another."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.fakes.bedrock import BedrockUpstream
from tests.fakes.more_upstreams import GeminiUpstream, OllamaUpstream, ResponsesUpstream
from tests.fakes.program import ROOT, canary
from tests.fakes.upstream import ANTHROPIC, OPENAI, Upstream
from tests.matrix.places import is_installed
from tests.matrix.proxies import LiteLlm, Lynkr, Proxy
from tests.matrix.scenarios import SCENARIOS, Scenario, Stage
from tests.matrix.values import Ability, Client

_Maker = Callable[[str], Upstream]


def _anthropic(key: str) -> Upstream:
    return Upstream(ANTHROPIC, key)


def _openai(key: str) -> Upstream:
    return Upstream(OPENAI, key)


# For each wire its vendor, and the one that a conversation changes to.
WIRES: dict[str, tuple[_Maker, _Maker]] = {
    "anthropic": (_anthropic, _openai),
    "openai_chat": (_openai, _anthropic),
    "openai_responses": (ResponsesUpstream, _anthropic),
    "gemini": (GeminiUpstream, _openai),
    "ollama": (OllamaUpstream, _anthropic),
    "bedrock_converse": (BedrockUpstream, _openai),
}
# What a wire has no words for, whatever the client.
LACKS = {("ollama", Ability.CACHED): "Ollama tells no cached tokens"}
PROXIES: dict[str, Callable[[Upstream, Upstream, Path], Proxy]] = {"lynkr": Lynkr, "litellm": LiteLlm}


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one cell. `result`: pass, fail or n/a; `reason` for the last two."""

    proxy: str
    client: str
    scenario: str
    wire: str
    result: str
    reason: str = ""
    seconds: float = 0.0
    played: str = ""  # the day


class Lane:
    """A wire, a proxy, two scripted vendors."""

    def __init__(self, wire: str, proxy: str, home: Path) -> None:
        first, second = (make(canary(f"{wire}-{place}")) for place, make in zip(("first", "second"), WIRES[wire], strict=True))
        self.wire = wire
        self._home = home
        self.upstream, self.second = first.start(), second.start()
        self.proxy = PROXIES[proxy](self.upstream, self.second, home)

    def play(self, client: Client, scenarios: tuple[Scenario, ...]) -> Iterator[Cell]:
        """One client's cells."""
        for scenario in scenarios:
            if not is_installed(client.part):
                yield self._cell(client, scenario, "n/a", "it could not be installed on this machine")
                continue
            lacks = client.lacks | {need: why for (wire, need), why in LACKS.items() if wire == self.wire}
            missing = [lacks[need] for need in sorted(scenario.needs) if need in lacks]
            if missing:
                yield self._cell(client, scenario, "n/a", missing[0])
                continue
            began = time.monotonic()
            reason = self._play(client, scenario).replace(str(self._home), "…").replace(str(ROOT), "…")
            result = "fail" if reason else "pass"
            if reason and self._asked_elsewhere():
                result, reason = "n/a", "the proxy asks the vendor in Responses, which the scripted one does not speak"
            seconds = round(time.monotonic() - began, 1)
            yield self._cell(client, scenario, result, reason, seconds)

    def _cell(self, client: Client, scenario: Scenario, result: str, reason: str, seconds: float = 0.0) -> Cell:
        today = datetime.now(UTC).date().isoformat()
        return Cell(self.proxy.name, client.name, scenario.name, self.wire, result, reason, seconds, today)

    def close(self) -> str:
        """End everything; what our program left behind that it should not."""
        try:
            self.proxy.close()
        except AssertionError as error:
            return str(error)
        finally:
            self.upstream.stop()
            self.second.stop()
        return ""

    def _asked_elsewhere(self) -> bool:
        received = self.upstream.received + self.second.received
        return self.wire != "openai_responses" and any(one.path.startswith("/v1/responses") for one in received)

    def _play(self, client: Client, scenario: Scenario) -> str:
        """Play one cell; why it failed, in one line."""
        for vendor in (self.upstream, self.second):
            vendor.reset()
        with tempfile.TemporaryDirectory(prefix="cell-", dir=self._home, ignore_cleanup_errors=True) as folder:
            stage = Stage(client, self.upstream, self.second, Path(folder).resolve())
            try:
                task = scenario.setting(stage)
                endpoint = self.proxy.endpoint(changes_vendor=scenario.changes_vendor)
                outcome = client.run(task, endpoint, stage.folder)
                complaints = self.upstream.complaints + self.second.complaints
                assert complaints == [], f"the vendor refuses what was sent: {complaints[0]}"
                scenario.judge(stage, outcome)
            except TimeoutError as error:
                return str(error)
            except AssertionError as error:
                return " ".join(str(error).split())
        return ""


def chosen_scenarios(names: list[str]) -> tuple[Scenario, ...]:
    """All, or those of these names."""
    return tuple(scenario for scenario in SCENARIOS if not names or scenario.name in names)
