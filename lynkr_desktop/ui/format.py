"""Numbers as people read them, with their unit and their honesty. In the marks of the language in use.

The clock's time comes in; the sentences are in `text`.
"""

from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final

from lynkr_desktop.ui.language import grouped, say

UNKNOWN: Final = "–"
UNPRICED: Final = "unpriced"
FREE: Final = "free"
ABOUT: Final = "≈"
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FREE_BASIS: Final = "free"  # how the ledger names it


def money(amount: str | Decimal | None) -> str:
    """A price in US dollars: `$0.031`, `$1.84`, `$1,204`. None or what is no number is `unpriced`, never `$0.00`."""
    value = decimal(amount)
    if value is None:
        return UNPRICED
    size = abs(value)
    if 0 < value < _SMALLEST:
        return f"< {dollars(grouped(_SMALLEST, 4))}"
    shown = dollars(amount_text(max(size, _SMALLEST) if size else size))
    return f"-{shown}" if value < 0 else shown


_SMALLEST: Final = Decimal("0.0001")


def dollars(amount: str) -> str:
    """An amount with its currency: `$1.84`."""
    return say("${amount}", amount=amount)


def amount_text(size: Decimal | float) -> str:
    """A sum of 0 or more in US dollars, without the currency, with as many digits as it needs."""
    digits = 2 if not size else 4 if size < Decimal("0.01") else 3 if size < Decimal("0.1") else 2 if size < 1000 else 0
    return grouped(size, digits)


def signed_money(amount: str | Decimal | None) -> str:
    """The same with a sign always, for savings."""
    value = decimal(amount)
    return money(value) if value is None or value <= 0 else f"+{money(value)}"


def cost(cost_usd: str | None, basis: str) -> str:
    """What an exchange cost: `free`, `unpriced`, `≈ $0.031` if estimated, else `$0.031`."""
    if basis == _FREE_BASIS:
        return FREE
    shown = money(cost_usd)
    return f"{ABOUT} {shown}" if basis == "estimated" and shown != UNPRICED else shown


def decimal(amount: str | Decimal | None) -> Decimal | None:
    """The number in a decimal text; None if there is none."""
    if amount is None or isinstance(amount, Decimal):
        return amount
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def axis_money(amount: float, step: float) -> str:
    """A mark of a money axis whose marks are `step` apart."""
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2 if step >= 0.01 else 3 if step >= 0.001 else 4
    return dollars(grouped(amount, digits))


def axis_duration(milliseconds: float, step: float) -> str:
    """A mark of a time axis whose marks are `step` milliseconds apart."""
    if step < 1000:
        return say("{number} ms", number=grouped(milliseconds))
    return say("{number} s", number=grouped(milliseconds / 1000))


def tokens(count: int | None) -> str:
    """A number of tokens: `412`, `38.2k`, `120k`, `1.2M`."""
    if count is None:
        return UNKNOWN
    for limit, unit in ((999_500, "M"), (1_000, "k")):
        if count >= limit:
            value = count / (1_000_000 if unit == "M" else 1_000)
            return f"{grouped(value, 0 if value >= 99.95 else 1)}{unit}"
    return str(count)


def count(number: int) -> str:
    """A number of things: `1,281`."""
    return grouped(number)


def duration(milliseconds: float | None) -> str:
    """A time span: `12 ms`, `0.9 s`, `41 s`, `2 min 5 s`."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1:
        return say("{number} ms", number=grouped(milliseconds, 1))
    if milliseconds < 95:
        return say("{number} ms", number=grouped(milliseconds))
    seconds = milliseconds / 1000
    if seconds < 9.95:
        return say("{number} s", number=grouped(seconds, 1))
    if seconds < 59.5:
        return say("{number} s", number=grouped(seconds))
    minutes, rest = divmod(round(seconds), 60)
    return say("{minutes} min {seconds} s", minutes=minutes, seconds=rest)


def percent(part: float, whole: float) -> str:
    """A share: `92 %`; below ten percent with one decimal; a dash where there is no whole."""
    if whole <= 0:
        return UNKNOWN
    share = 100 * part / whole
    return say("{number} %", number=grouped(share, 1 if 0 < share < 9.95 else 0))


def local(milliseconds: float) -> datetime:
    """A moment counted from 1970, in the local time zone."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).astimezone()


def clock(milliseconds: float) -> str:
    """The local time of day: `14:52:07`."""
    return local(milliseconds).strftime("%H:%M:%S")


def clock_minutes(milliseconds: float) -> str:
    """The local time of day without seconds: `14:52`."""
    return local(milliseconds).strftime("%H:%M")


def day(milliseconds: float) -> str:
    """The local day: `20 Nov`."""
    moment = local(milliseconds)
    return say("{day} {month}", day=moment.day, month=MONTHS[moment.month - 1])


def moment(milliseconds: float, now_ms: float) -> str:
    """The time of day for today, the weekday with it for the last days, else the day: `14:52:07`, `Tue 14:52`, `9 Nov`."""
    days_ago = (local(now_ms).date() - local(milliseconds).date()).days
    if days_ago == 0:
        return clock(milliseconds)
    return f"{weekday(milliseconds)} {clock_minutes(milliseconds)}" if 0 < days_ago < 7 else day(milliseconds)


def weekday(milliseconds: float) -> str:
    """The local day of the week: `Tue`."""
    return WEEKDAYS[local(milliseconds).weekday()]


def midnight_ms(now_ms: float) -> int:
    """When the local day began."""
    # Through the bare date, because the day may have begun with another offset from UTC than it has now.
    return round(datetime.combine(local(now_ms).date(), time.min).astimezone().timestamp() * 1000)
