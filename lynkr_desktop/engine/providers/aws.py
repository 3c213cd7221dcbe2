"""Requests to Amazon, signed with the credentials of this machine (Signature Version 4). The only place that asks for them.

botocore is an optional extra and heavy, so it is imported with the first call. Finding credentials may ask files, programs and
other servers, and blocks: it runs in a thread. A Bedrock API key needs no signature; it travels as a bearer like any other.
"""

import asyncio
import os
import re
import threading
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from lynkr_desktop.errors import FailureKind, UpstreamError

_SERVICE: Final = "bedrock"
_USUAL_REGION: Final = "us-east-1"
_REGION: Final = re.compile(r"(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_LOCK: Final = threading.Lock()  # two first calls at once make one session


async def authorized(url: str, headers: Mapping[str, str], body: bytes | None) -> dict[str, str]:
    """The headers with a signature over the whole request (a GET has no body), unless a key is among them already.

    Raises `UpstreamError(AUTH)` if this machine has no credentials, or they cannot be used, and if botocore is missing.
    """
    return await asyncio.to_thread(_authorized, url, headers, body)


def _authorized(url: str, headers: Mapping[str, str], body: bytes | None) -> dict[str, str]:
    try:
        import_module("botocore.eventstream")  # for the answer; here, so that it is read in the thread
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    except ImportError:
        raise UpstreamError(
            FailureKind.AUTH,
            "Amazon Bedrock needs a part of this program that is not installed.",
            "Install it with: pip install 'lynkr-desktop[bedrock]'.",
        ) from None
    if "authorization" in headers:
        return dict(headers)
    try:
        return {**headers, **_signature(url, headers, body)}
    except BotoCoreError as error:
        raise UpstreamError(FailureKind.AUTH, "The AWS credentials of this machine cannot be used.", str(error)) from None


def _signature(url: str, headers: Mapping[str, str], body: bytes | None) -> dict[str, str]:
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    with _LOCK:
        session = _session()
        found = session.get_credentials()
        credentials = found.get_frozen_credentials() if found is not None else None
    if credentials is None:
        raise UpstreamError(
            FailureKind.AUTH,
            "There are no AWS credentials on this machine.",
            "Enter a Bedrock API key under Providers, or sign in with the AWS command line.",
        )
    own = {name: headers[name] for name in ("content-type",) if name in headers}
    signed = AWSRequest("GET" if body is None else "POST", url, headers=own, data=body or b"")
    SigV4Auth(credentials, _SERVICE, region_of(url, session)).add_auth(signed)
    return {name.lower(): value for name, value in signed.headers.items()}


@cache
def _session() -> Any:
    """The session whose credentials are kept, and renewed when they run out."""
    from botocore.session import get_session  # noqa: PLC0415

    return get_session()


def region_of(url: str, session: Any) -> str:
    """The region that a request is signed for: the address's own, else what this machine is set to."""
    named = _REGION.search(urlsplit(url).hostname or "")
    if named:
        return named[1]
    told = os.environ.get("AWS_BEDROCK_REGION") or os.environ.get("AWS_REGION")
    return told or session.get_config_variable("region") or _USUAL_REGION
