"""Traces as a collector receives them: over real OTLP/HTTP, read with OpenTelemetry's own messages."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.engine.test_budgets_served import MODEL, WRITTEN
from tests.fakes.caller import Caller
from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import PROMPT_CANARY, account
from tests.fakes.program import ROOT, Program, canary
from tests.fakes.script import Answer, Refuse, Say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]


class Collector:
    """Takes what OTLP/HTTP sends. `spans` are dictionaries of what matters here."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def spans(self) -> list[dict[str, Any]]:
        found = []
        for body in self.bodies:
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in group.scope_spans:
                    found += [self._span(span) for span in scope.spans]
        return found

    @staticmethod
    def _span(span: Any) -> dict[str, Any]:
        values = {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
        times = {"begin": span.start_time_unix_nano, "end": span.end_time_unix_nano}
        kin = {"id": span.span_id, "parent": span.parent_span_id, "trace": span.trace_id}
        return {"name": span.name, "kind": span.kind, "is_error": span.status.code == 2, **times, **kin, **values}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def test_a_request_and_its_tries_are_spans(headless: Start, anthropic_upstream: Upstream, collector: Collector) -> None:
    secret = canary("collector")
    otel = {"LYNKR_OTEL_ENABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    otel["OTEL_EXPORTER_OTLP_HEADERS"] = f"authorization=Bearer {secret}"
    program = headless(MODEL_PROVIDER=f"anthropic:{MODEL}", **otel, **account(anthropic_upstream))
    anthropic_upstream.play(Refuse(529, "words-of-a-failure"), Answer((Say(PROMPT_CANARY),), tokens=WRITTEN))
    anthropic_upstream.expects_complaints = True
    reply = Caller(program.url, program.token).post(MESSAGES.path, MESSAGES.ask(PROMPT_CANARY, model="lynkr-simple"))
    assert reply.status == 200
    assert program.stop() == 0, "the end sends what is left"
    (root,) = (span for span in collector.spans if not span["parent"])
    tries = sorted((span for span in collector.spans if span["parent"]), key=lambda span: span["begin"])
    assert [span["parent"] for span in tries] == [root["id"]] * 2
    assert {span["trace"] for span in tries} == {root["trace"]}
    assert (root["name"], root["gen_ai.request.model"]) == ("chat lynkr-simple", "lynkr-simple")
    assert (root["gen_ai.operation.name"], root["gen_ai.provider.name"]) == ("chat", "anthropic")
    assert (root["gen_ai.response.model"], root["gen_ai.usage.input_tokens"], root["gen_ai.usage.output_tokens"]) == (
        MODEL,
        20,
        1000,
    )
    assert root["lynkr.cost_usd"] == pytest.approx(0.00502)
    assert [span["is_error"] for span in tries] == [True, False]
    assert tries[0]["error.type"] == "overloaded"
    assert root["begin"] <= tries[0]["begin"] < tries[0]["end"] <= tries[1]["begin"] <= tries[1]["end"]
    assert collector.headers[0]["authorization"] == f"Bearer {secret}"
    sent = b"".join(collector.bodies)
    for word in (PROMPT_CANARY, "words-of-a-failure", anthropic_upstream.key, program.token):
        assert word.encode() not in sent
    program.check_end((secret,))


def test_it_is_off_unless_asked_for(headless: Start, anthropic_upstream: Upstream, collector: Collector) -> None:
    """The variables may stand there for other programs."""
    program = headless(
        MODEL_PROVIDER=f"anthropic:{MODEL}", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **account(anthropic_upstream)
    )
    assert Caller(program.url, program.token).post(MESSAGES.path, MESSAGES.ask("hi")).status == 200
    assert program.stop() == 0
    assert collector.bodies == []


def test_a_collector_that_is_not_there_stops_nothing(headless: Start, anthropic_upstream: Upstream) -> None:
    otel = {"LYNKR_OTEL_ENABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    program = headless(MODEL_PROVIDER=f"anthropic:{MODEL}", **otel, **account(anthropic_upstream))
    assert Caller(program.url, program.token).post(MESSAGES.path, MESSAGES.ask("hi")).status == 200


def test_who_does_not_want_it_does_not_pay_for_it() -> None:
    code = "import sys, lynkr_desktop.headless; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
