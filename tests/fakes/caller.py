"""A plain HTTP client for tests: shows status, headers and bytes as they came. Knows just enough of SSE to judge it."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 60.0  # seconds; only ever used up by a failing test


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The decoded events of the body; `[DONE]` stays a string."""
        return events_of(self.body)


class Stream:
    """A reply whose body is still coming."""

    def __init__(self, reply: http.client.HTTPResponse, connection: http.client.HTTPConnection) -> None:
        self.status = reply.status
        self.headers = {name.lower(): value for name, value in reply.getheaders()}
        self._reply = reply
        self._connection = connection
        self.seen = b""

    def read_until(self, word: bytes) -> bytes:
        """Read until these bytes have come; all bytes so far."""
        while word not in self.seen:
            piece = self._reply.read1(65536)
            assert piece, f"the stream ended before {word!r}: {self.seen!r}"
            self.seen += piece
        return self.seen

    def rest(self) -> bytes:
        """Read to the end; all bytes."""
        with contextlib.suppress(http.client.IncompleteRead):
            self.seen += self._reply.read()
        return self.seen

    def leave(self) -> None:
        """Close the socket without reading on."""
        self._reply.close()
        self._connection.close()


class Caller:
    """Calls one endpoint with one token, as `Authorization: Bearer`, or as `x-api-key` towards the Anthropic paths."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.host, self.port = parts.hostname, parts.port
        self.token = token

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, *, has_token: bool = True
    ) -> Reply:
        """Call and read everything."""
        with contextlib.closing(http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)) as connection:
            reply = self._send(connection, method, path, body, headers, has_token=has_token)
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())

    def get(self, path: str, headers: dict[str, str] | None = None) -> Reply:
        """GET with the token."""
        return self.request("GET", path, None, headers)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Reply:
        """POST with the token; bytes go as they are, anything else as JSON."""
        return self.request("POST", path, body, headers)

    @contextlib.contextmanager
    def stream(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Iterator[Stream]:
        """POST and read as it comes."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            yield Stream(self._send(connection, "POST", path, body, headers, has_token=True), connection)
        finally:
            connection.close()

    def open(self, path: str, body: Any) -> http.client.HTTPConnection:
        """POST and wait for nothing."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        connection.request("POST", path, json.dumps(body).encode(), self._named(path, body, has_token=True))
        return connection

    def _named(self, path: str, body: Any, *, has_token: bool) -> dict[str, str]:
        named = {} if body is None else {"content-type": "application/json"}
        if has_token:
            named |= {"x-api-key": self.token} if path.startswith("/v1/messages") else {"authorization": f"Bearer {self.token}"}
        return named

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Any,
        headers: dict[str, str] | None,
        *,
        has_token: bool,
    ) -> http.client.HTTPResponse:
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = self._named(path, body, has_token=has_token)
        connection.request(method, path, content, named | (headers or {}))
        return connection.getresponse()


def events_of(body: bytes) -> list[Any]:
    """The decoded `data:` of each event; fails on what is not well-formed."""
    text = body.decode()
    assert text.endswith("\n\n"), f"the stream does not end with a blank line: {text[-200:]!r}"
    found = []
    for block in text.strip().split("\n\n"):
        lines = [line.removeprefix("data:").removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if lines:
            found.append(lines[0] if lines == ["[DONE]"] else json.loads("\n".join(lines)))
    return found
