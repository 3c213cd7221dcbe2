"""Every sentence that a user reads on the Clients and Welcome pages. Constants and small functions; no widgets, no decisions."""

from collections.abc import Sequence
from typing import Final

from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.language import say
from lynkr_desktop.ui.text import failure, tier_name_of

# ---------------------------------------------------------------- clients

ON_THIS_MACHINE: Final = "On this machine"
OTHER_PROGRAMS: Final = "Not found here"
LIBRARIES: Final = "For your own programs"
COPY: Final = "Copy"
COPIED: Final = "Copied"
NOT_FOUND: Final = "Not found on this machine"
WAITING: Final = "Waiting for its first request…"
HIDDEN_TOKEN: Final = "••••••••"  # noqa: S105  a mask
NOT_SERVING: Final = "Lynkr does not serve now, so no program can reach it."
NO_TOKEN_YET: Final = "Waiting for your keychain, which holds the token."  # noqa: S105
OWN_TOKEN: Final = "Give it a token of its own"  # noqa: S105  a label
ANOTHER_TOKEN: Final = "Make another"  # noqa: S105  a label
REVOKE: Final = "Revoke…"
REVOKE_SURE: Final = "Revoke: press again"
REVOKE_HINT: Final = "From its next request on it is refused. What it receives now still ends."
SHARED_TOKEN: Final = "It shows the token that all programs may use."  # noqa: S105
TOKEN_MADE: Final = "Copy these lines now: only a fingerprint of its token is kept."  # noqa: S105
TOKEN_GONE: Final = "Its token was shown when it was made, and only its fingerprint is kept. Make another to copy these lines."  # noqa: S105
SHOW_REQUEST: Final = "Why this model?"


def own_token(hint: str, made_on: str) -> str:
    """A program that has a token of its own."""
    return say("It has a token of its own, …{hint}, since {date}.", hint=hint, date=made_on)


def found_at(where: str) -> str:
    """Where a program is."""
    return say("Found: {where}", where=where)


def seen(exchange: Exchange, now_ms: float) -> str:
    """A program's last request."""
    when = shown.moment(exchange.started_at_ms, now_ms)
    if exchange.error:
        return say("Its last request, {when}, failed: {why}", when=when, why=failure(exchange.error)[0])
    tier = tier_name_of(exchange)
    return say("Its last request, {when}, went to {model} ({tier}).", when=when, model=exchange.model, tier=tier)


def row_name(title: str, *, is_seen: bool) -> str:
    """A program in the list, as screen readers say it."""
    return f"{title}, {say('connected') if is_seen else say('no request yet')}"


def copy_name(where: str) -> str:
    """What a copy button copies."""
    return f"{COPY}: {where}"


# ---------------------------------------------------------------- welcome

WELCOME: Final = "Welcome to Lynkr"
BACK: Final = "Back"
NEXT: Final = "Next"
SKIP_STEP: Final = "Skip this step"
SKIP_ALL: Final = "Skip the welcome"
FINISH: Final = "Open the overview"
STEPS: Final = ("What is here", "A provider", "Tiers", "A program")
STEP_WORDS: Final = (
    "Lynkr sends each request of your coding programs to the model that it needs. This is what it found on this machine.",
    "With a key of one provider, harder requests can go to strong models. It is tested before it is saved.",
    "Each request gets a score from 0 to 100 and goes to one of four tiers. Choose what serves them; you can change it later.",
    "Point one program at Lynkr, and watch its first request arrive.",
)
BUILT_IN_READY: Final = "The built-in model is ready. It is small, free, and needs no network."
BUILT_IN_MISSING: Final = "The built-in model is not installed."
NO_SERVERS: Final = "No model server was found on this machine."
SEARCHING: Final = "Looking for model servers…"
NO_KEYS: Final = "No key of a provider is set in your environment."
USE: Final = "Use it"
USED: Final = "Added"
ADDED: Final = "Added. You can add more on the Providers page."
PROGRAM: Final = "Program"
NO_PRESETS: Final = "Add a provider first, then tiers can use it. This step can be done later on the Tiers page."


def step_title(index: int) -> str:
    """Where one is."""
    return say("{number} of {all} · {title}", number=index + 1, all=len(STEPS), title=STEPS[index])


def key_found(variable: str, provider: str) -> str:
    """A key in the environment; only its name is ever shown."""
    return say("{variable} is set: a key of {provider}. Lynkr takes it only if you say so.", variable=variable, provider=provider)


def programs_found(titles: Sequence[str]) -> str:
    """Programs that could be connected."""
    if not titles:
        return say("None of the programs that Lynkr knows was found.")
    return say("Programs found: {programs}.", programs=", ".join(titles))


def arrived(program: str, exchange: Exchange) -> str:
    """The first request."""
    if exchange.error:
        why = failure(exchange.error)[0]
        return say("A request of {program} arrived, but failed: {why}", program=program, why=why)
    where = f"{exchange.model} ({tier_name_of(exchange)})"
    return say("The first request has arrived: {program} → {where}.", program=program, where=where)


def tiers_chosen(preset: str) -> str:
    """Which preset the tiers are now."""
    return say("In use: {preset}.", preset=preset)
