"""The pages that tell what happened, from outside: their shapes, their sums, and that no secret is in any of them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lynkr_desktop import __version__
from lynkr_desktop.engine.admin.metrics import Metrics
from lynkr_desktop.engine.admin.observation import _server, window_ms
from lynkr_desktop.engine.events import RequestFinished
from lynkr_desktop.errors import ClientError
from tests.engine.store.exchanges import exchange
from tests.engine.test_budgets_served import MODEL, WRITTEN, budgets_in
from tests.fakes.caller import Caller
from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Answer, Say
from tests.fakes.upstream import Upstream
from tests.rig.desk import until

Start = Callable[..., Program]
PAGES = (
    "/v1/usage",
    "/v1/providers",
    "/v1/providers/anthropic",
    "/v1/health/providers",
    "/v1/health/providers/anthropic",
    "/v1/config",
    "/metrics",
    "/metrics/prometheus",
    "/metrics/observability",
    "/metrics/circuit-breakers",
    "/metrics/load-shedding",
)


@pytest.fixture
def caller(headless: Start, anthropic_upstream: Upstream, tmp_path: Path) -> Caller:
    """A program with a budget, that has served two requests and refused a third."""
    folder = budgets_in(tmp_path / "kept", {"amount_usd": "0.01"})
    tiers = {f"TIER_{tier}": f"anthropic:{MODEL}" for tier in ("SIMPLE", "MEDIUM", "REASONING")}
    tiers["TIER_COMPLEX"] = "anthropic:claude-sonnet-4-5"
    program = headless(LYNKR_DATA_DIR=folder, **tiers, **account(anthropic_upstream))
    caller = Caller(program.url, program.token)
    anthropic_upstream.always = Answer((Say("hi"),), tokens=WRITTEN)
    replies = [caller.post(MESSAGES.path, MESSAGES.ask("hello", model="lynkr-simple")).status for _ in range(3)]
    assert replies == [200, 200, 402]
    until(lambda: caller.get("/v1/usage").json["requests"] == 3, "the ledger to hold all three")
    return caller


def test_usage_adds_up_and_can_be_narrowed(caller: Caller) -> None:
    """Two answers at $0.00502; COMPLEX would have cost three times that. The refusal cost nothing and saved nothing."""
    usage = caller.get("/v1/usage?window=7d").json
    assert (usage["input_tokens"], usage["output_tokens"], usage["cost_usd"], usage["unpriced"]) == (40, 2000, "0.01004", 0)
    saved = {"baseline": "always COMPLEX", "saved_usd": "0.02008", "label": "measured"}
    assert usage["savings"] == saved | {"measured": 2, "estimated": 0, "not_measurable": 0}
    (served,) = (each for each in usage["models"] if each["model"])
    assert (served["account"], served["model"], served["requests"], served["cost_usd"]) == ("anthropic", MODEL, 2, "0.01004")
    narrowed = caller.get(f"/v1/usage?days=1&model={MODEL}&provider=anthropic").json
    assert (narrowed["requests"], narrowed["savings"]["measured"]) == (2, 2)
    elsewhere = caller.get("/v1/usage?provider=openai").json
    assert (elsewhere["requests"], elsewhere["cost_usd"], elsewhere["savings"]["saved_usd"]) == (0, "0", "0")
    assert caller.get("/v1/usage?window=forever").status == 400


def test_accounts_and_their_health(caller: Caller) -> None:
    listed = caller.get("/v1/providers").json
    (row,) = listed["data"]
    assert (row["name"], row["type"], row["active"]) == ("anthropic", "anthropic", True)
    assert row["models"] == [MODEL, "claude-sonnet-4-5"]
    assert caller.get("/v1/providers/anthropic").json == row
    (health,) = caller.get("/v1/health/providers").json["providers"]
    assert (health["name"], health["state"], health["requests"], health["errors"]) == ("anthropic", "healthy", 2, 0)
    (model,) = health["models"]
    assert (model["model"], model["in_progress"], model["requests"], model["errors"]) == (MODEL, 0, 2, 0)
    assert model["p50_first_token_ms"] > 0
    assert caller.get("/v1/health/providers/nobody").status == 404
    breakers = caller.get("/metrics/circuit-breakers").json["circuit_breakers"]
    assert breakers[f"anthropic:{MODEL}"] == "closed"


def test_metrics_count_what_happened(caller: Caller) -> None:
    """In the words of Prometheus' own reader."""
    reply = caller.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=")
    read = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }
    for key, value in {
        ("lynkr_requests_total", "anthropic", "SIMPLE", MODEL, "ok"): 2,
        ("lynkr_requests_total", "", "SIMPLE", "", "budget"): 1,
        ("lynkr_tokens_total", "anthropic", MODEL, "output"): 2000,
        ("lynkr_cost_usd_total", "anthropic", "SIMPLE", MODEL): 0.01004,
        ("lynkr_budget_blocks_total",): 1,
        ("lynkr_budget_spent_usd", "1", "day"): 0.01004,
        ("lynkr_first_token_seconds_count", "anthropic"): 2,
        ("lynkr_request_duration_seconds_bucket", "anthropic", "+Inf"): 2,
        ("lynkr_active_requests",): 0,
        ("lynkr_waiting_requests",): 0,
        ("lynkr_shed_requests_total",): 0,
        ("lynkr_build_info", __version__): 1,
    }.items():
        name, *labels = key
        assert read[(name, *sorted(labels))] == pytest.approx(value), key
    assert all(name.startswith("lynkr_") for name, *_ in read)
    assert caller.get("/metrics/load-shedding").json["inside"] == 0
    as_json = {
        (sample["name"], *sorted(sample["labels"].values())): sample["value"]
        for family in caller.get("/metrics", {"accept": "application/json"}).json["metrics"]
        for sample in family["samples"]
    }
    assert {**as_json, ("lynkr_uptime_seconds",): 0} == {**read, ("lynkr_uptime_seconds",): 0}


def test_metrics_speak_open_metrics_to_those_who_want_it(caller: Caller) -> None:
    reply = caller.get("/metrics", {"accept": "application/openmetrics-text; version=1.0.0"})
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")


def test_programs_cannot_make_series_without_end() -> None:
    counted = Metrics(0.0)
    for number in range(1000):
        counted.hear(RequestFinished(exchange(number, model=f"made-up-{number}")))
    assert len(counted.requests) <= 101
    assert sum(counted.requests.values()) == 1000


def test_nobody_pays_for_the_library_before_the_first_scrape() -> None:
    code = "import sys, lynkr_desktop.engine.service; print([name for name in sys.modules if name.startswith('prometheus')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pages_need_the_token_and_hold_no_secret(caller: Caller, anthropic_upstream: Upstream) -> None:
    for path in PAGES:
        assert caller.request("GET", path, has_token=False).status == 401
        reply = caller.get(path)
        assert reply.status == 200
        assert anthropic_upstream.key.encode() not in reply.body
        assert caller.token.encode() not in reply.body


def test_nothing_can_be_changed_with_the_models_token(caller: Caller) -> None:
    for path in ("/v1/admin/circuit-breakers/reset", "/v1/admin/reload", "/v1/config"):
        assert caller.post(path, {"budgets": []}).status in (404, 405)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:canary@host.example:8443/v1?key=canary#canary", "https://host.example:8443/v1"),
        ("http://[::1]:11434", "http://[::1]:11434"),
        ("canary", ""),
        ("http://host:canary/", ""),
        ("", ""),
    ],
)
def test_an_address_loses_what_is_not_the_server(address: str, shown: str) -> None:
    assert _server(address) == shown


def test_windows() -> None:
    assert window_ms({}) == window_ms({"window": "24h"}) == window_ms({"days": "1"}) == 86_400_000
    for wrong in ({"days": "0"}, {"days": "-1"}, {"window": "1w"}, {"window": "999999d"}):
        with pytest.raises(ClientError):
            window_ms(wrong)
