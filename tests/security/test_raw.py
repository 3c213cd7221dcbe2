"""Requests that no proper client sends, byte for byte: each is refused or served, none is a bug, no odd form lets anybody in."""

import json
import socket
from pathlib import Path

import pytest

from tests.fakes.caller import PATIENCE
from tests.fakes.dialects import CHAT
from tests.fakes.lab import Pair
from tests.fakes.program import ROOT

BODY = json.dumps(CHAT.ask("hi")).encode()
POST = b"POST /v1/chat/completions HTTP/1.1\r\n%(trusted)sContent-Type: application/json\r\n"
WHOLE = b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY

# Name: the bytes, and the statuses that are right.
REQUESTS: dict[str, tuple[bytes, set[bytes]]] = {
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {b"400"}),
    "HTTP/0.9": (b"GET /v1/models\r\n\r\n", {b"400", b"403"}),
    "an address with our name": (b"GET http://127.0.0.1:%(port)d/v1/models HTTP/1.1\r\n%(trusted)s\r\n", {b"200"}),
    "an address with another's name": (b"GET http://evil.example/v1/models HTTP/1.1\r\n%(trusted)s\r\n", {b"403"}),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\n%(trusted)s\r\n", {b"400", b"403", b"404", b"405"}),
    "two hosts": (b"GET /v1/models HTTP/1.1\r\n%(trusted)sHost: evil.example\r\n\r\n", {b"400", b"403"}),
    "a space before the colon": (b"GET /v1/models HTTP/1.1\r\nHost : x\r\n%(trusted)s\r\n", {b"400"}),
    "a folded header": (b"GET /v1/models HTTP/1.1\r\n%(trusted)sX: a\r\n b\r\n\r\n", {b"400"}),
    "lines without return": (b"GET /v1/models HTTP/1.1\nHost: 127.0.0.1:%(port)d\n\n", {b"400", b"401"}),
    "a zero byte in the path": (b"GET /v1/models/%%00 HTTP/1.1\r\n%(trusted)s\r\n", {b"404"}),
    "no UTF-8 in the path": (b"GET /v1/models/%%ff%%zz HTTP/1.1\r\n%(trusted)s\r\n", {b"404"}),
    "no UTF-8 in a token": (b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:%(port)d\r\nx-api-key: \xff\xfe\r\n\r\n", {b"401"}),
    "no UTF-8 in a query": (b"GET /v1/usage?provider=%%ff&window=%%00 HTTP/1.1\r\n%(trusted)s\r\n", {b"400"}),
    "SQL in a query": (b"GET /v1/routing/telemetry?tier='%%20OR%%201=1--&provider=';-- HTTP/1.1\r\n%(trusted)s\r\n", {b"200"}),
    "two lengths": (POST + b"Content-Length: 5\r\n" + WHOLE, {b"400"}),
    "length and chunks": (POST + b"Transfer-Encoding: chunked\r\n" + WHOLE, {b"400"}),
    "a negative length": (POST + b"Content-Length: -1\r\n\r\n", {b"400"}),
    "a length with a sign": (POST + b"Content-Length: +5\r\n\r\n", {b"400"}),
    "a length in other digits": (POST + b"Content-Length: \xb2\r\n\r\n", {b"400"}),
    "a chunk that is none": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {b"400"}),
    "a packing that we do not know": (POST + b"Content-Encoding: br\r\n" + WHOLE, {b"400", b"415"}),
    "an upgrade": (POST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n" + WHOLE, {b"200", b"400"}),
    "a project that leaves its folder": (POST.replace(b"/v1", b"/p/..%%2f..%%2f/v1") + WHOLE, {b"400", b"404"}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_no_client_sends(to_openai: Pair, name: str) -> None:
    form, right = REQUESTS[name]
    port = to_openai.program.port
    trusted = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {to_openai.program.token}\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
        raw.sendall(form % {b"trusted": trusted, b"port": port})
        line = raw.recv(65536).partition(b"\r\n")[0]
    assert line.split()[1] in right, line
    assert to_openai.caller.get("/health").status == 200


def test_what_follows_a_request_is_judged_by_itself(to_openai: Pair) -> None:
    """A token of the first request opens nothing for the second one on the same connection."""
    port = to_openai.program.port
    trusted = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {to_openai.program.token}\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
        raw.sendall(
            (POST + WHOLE + b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:%(port)d\r\n\r\n") % {b"trusted": trusted, b"port": port}
        )
        seen = b""
        while seen.count(b"HTTP/1.1 ") < 2:
            piece = raw.recv(65536)
            assert piece, seen
            seen += piece
    assert [part[:3] for part in seen.split(b"HTTP/1.1 ")[1:]] == [b"200", b"401"]


BAD_JSON: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "null": (b"null", 400),
    "no number": (b'{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":NaN}', 400),
    "a number too large for any": (b'{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":1e400}', 400),
    "five thousand digits": (b'{"model":"m","max_tokens":' + b"9" * 5000 + b',"messages":[{"role":"user","content":"x"}]}', 400),
    "a byte order mark": (b"\xef\xbb\xbf" + BODY, 400),
    "UTF-16": (BODY.decode().encode("utf-16"), 400),
    "nested without end": (b'{"model":"m","messages":' + b"[" * 100_000, 400),
    "half a character": (b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}', 200),
    "a header inside the model": (b'{"model":"a\\r\\nx-evil: 1","messages":[{"role":"user","content":"x"}]}', 200),
    "a hundred thousand turns": (
        json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}] * 100_000}).encode(),
        200,
    ),
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_a_body_that_no_client_sends(to_openai: Pair, name: str) -> None:
    to_openai.upstream.expects_complaints = True
    body, status = BAD_JSON[name]
    reply = to_openai.caller.post(CHAT.path, body, {"content-type": "application/json"})
    assert reply.status == status, reply.body[:300]
    assert "x-evil" not in reply.headers


# Every row of the list of bad input, and the test that holds it.
ROWS = {
    "not JSON": ("engine/test_server.py", "test_what_is_no_request_is_refused"),
    "wrong types": ("engine/test_server.py", "test_wrong_types_are_told_with_their_place"),
    "unknown fields": ("engine/test_server.py", "test_unknown_fields_are_no_failure_of_ours"),
    "65 MiB": ("engine/test_server.py", "test_a_body_that_is_too_large"),
    "65 MiB in chunks": ("engine/test_server.py", "test_a_chunked_body_that_is_too_large"),
    "no token": ("engine/test_server.py", "test_everything_else_needs_the_token"),
    "wrong Host, foreign Origin": ("engine/test_server.py", "test_strangers_are_refused"),
    "upstream down": ("engine/test_pipeline_failover.py", "test_an_address_without_a_server"),
    "upstream 401, 429, 500": ("engine/test_pipeline_failover.py", "test_a_lone_target_that_fails"),
    "upstream dies in the middle": ("engine/test_upstream_streams.py", "test_row_111_a_stream_that_dies_is_never_silent"),
    "upstream sends garbage": ("engine/test_upstream_streams.py", "test_a_cut_json_is_no_answer"),
    "keychain locked": ("journeys/test_keychain.py", "test_a_locked_keychain_keeps_the_key_for_the_session_only"),
    "keychain missing": ("journeys/test_keychain.py", "test_without_a_keychain_the_user_is_told"),
    "port taken": ("journeys/test_bad_input.py", "test_a_taken_port"),
    "disk full": ("journeys/test_bad_input.py", "test_a_full_disk"),
    "disk full, then not": ("engine/store/test_ledger.py", "test_a_full_disk_that_gets_room_again_loses_nothing"),
    "disk full while saving settings": ("config/test_file.py", "test_a_full_disk_leaves_the_old_file_whole"),
    "broken settings": ("journeys/test_bad_input.py", "test_a_broken_settings_file"),
    "broken settings read again": ("security/test_tokens.py", "test_reload_takes_the_file_and_refuses_a_broken_one"),
    "newer settings": ("journeys/test_bad_input.py", "test_a_newer_settings_file"),
    "two instances": ("journeys/test_bad_input.py", "test_two_instances"),
    "damaged ledger": ("engine/store/test_ledger.py", "test_a_damaged_file_is_kept_aside_and_a_new_one_begun"),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_bad_input_is_held_by_a_test(row: str) -> None:
    file, function = ROWS[row]
    assert f"def {function}(" in (Path(ROOT) / "tests" / file).read_text(encoding="utf-8")
