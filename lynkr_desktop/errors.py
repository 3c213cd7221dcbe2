"""What can go wrong, in words that a person can use. Imports nothing of ours.

    LynkrError(title, detail)          what happened
    ├── ClientError(status)            the calling program must change something
    ├── BusyError(retry_after)         we ourselves cannot take it now: too much at once, or the end
    ├── ConfigError(field)             the user must change something
    │   └── BudgetError                the user's own limit of money is reached
    └── UpstreamError(kind, provider)  a model's server failed; the kind says what happens next

Classes answer *who must act*, the kind answers *what happens next*. Bugs are not in the tree: they stay ordinary exceptions.
"""

from enum import StrEnum
from typing import Final

MOST_WAIT_SECONDS: Final = 86_400.0


class LynkrError(Exception):
    """A failure that somebody can act on.

    `title` is one short sentence; `detail` says where and what to do about it. Neither may hold a secret.
    """

    def __init__(self, title: str, detail: str = "") -> None:
        super().__init__(f"{title} {detail}".strip())
        self.title = title
        self.detail = detail

    def mask(self, secret: str) -> None:
        """Take a secret out of the words: some providers repeat the key in their refusals."""
        if secret:
            self.title, self.detail = self.title.replace(secret, "***"), self.detail.replace(secret, "***")
            self.args = (f"{self.title} {self.detail}".strip(),)


class ClientError(LynkrError):
    """The calling program sent something that cannot be served. `status` is the HTTP status that it gets."""

    def __init__(self, title: str, detail: str = "", *, status: int = 400) -> None:
        super().__init__(title, detail)
        self.status = status


class BusyError(LynkrError):
    """We ourselves cannot take the request now, or cannot end it: HTTP 503. `retry_after` is in seconds."""

    def __init__(self, title: str, detail: str = "", *, retry_after: int) -> None:
        super().__init__(title, detail)
        self.retry_after = retry_after


class ConfigError(LynkrError):
    """The user's settings cannot be used as they are. `field` is the dotted path of the setting."""

    def __init__(self, title: str, detail: str = "", *, field: str = "") -> None:
        super().__init__(title, detail)
        self.field = field


class BudgetError(ConfigError):
    """A budget of the user's is used up. The detail says when it begins anew and what to do before."""


class FailureKind(StrEnum):
    """Why an upstream failed."""

    AUTH = "auth"  # the key is missing, wrong or not allowed to use this model
    QUOTA = "quota"  # money or quota is used up
    RATE = "rate"  # too many requests for now
    OVERLOADED = "overloaded"  # the provider's own trouble: 5xx, 529
    CONTEXT = "context"  # the request does not fit into the model's window
    REFUSED = "refused"  # content policy
    NOT_FOUND = "not_found"  # no such model or path there
    BAD_REQUEST = "bad_request"  # the provider cannot read the request
    UNREACHABLE = "unreachable"  # no connection
    TIMEOUT = "timeout"  # connected, but nothing came in time
    PROTOCOL = "protocol"  # the answer is not in the provider's own wire, or broke off
    EMPTY = "empty"  # an answer without any content


class UpstreamError(LynkrError):
    """A provider failed. `detail` is the provider's own text, shortened.

    `status` is the provider's HTTP status if there was one, `retry_after` seconds that it asked us to wait (a day at most),
    `request_id` the provider's own name for the request. `code` is the provider's own error type or code.
    """

    def __init__(
        self,
        kind: FailureKind,
        title: str,
        detail: str = "",
        *,
        provider: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        request_id: str = "",
        code: str = "",
    ) -> None:
        super().__init__(title, detail)
        self.kind = kind
        self.provider = provider
        self.status = status
        self.retry_after = None if retry_after is None else min(retry_after, MOST_WAIT_SECONDS)
        self.request_id = request_id
        self.code = code
