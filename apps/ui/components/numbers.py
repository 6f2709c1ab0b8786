"""Numbers and times in text."""

from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.ui import figures
from apps.ui.html import component
from apps.ui.library import register

MINUTE, HOUR, DAY = 60, 3600, 86400
TONES = {"better": "success", "worse": "danger", "same": "plain"}


@register.filter
def grouped(n: int) -> str:
    """Return a count as it is read: `1,080`."""
    return f"{n:,}"


@register.simple_tag
def score(value: float | None, digits: int = 3) -> str:
    """`.842`: no leading zero, a true minus, an en dash where there is none."""
    return figures.score(value, digits)


@register.simple_tag
def signed(value: float | None, digits: int = 3) -> str:
    """`+.021`."""
    return figures.signed(value, digits)


@register.simple_tag
def interval(
    low: float | None, high: float | None, digits: int = 3, narrow: bool = False
) -> SafeString:
    """`.713 to .770`, or with an en dash in narrow tables."""
    return component("numbers/interval", words=figures.interval(low, high, digits, narrow))


@register.simple_tag
def share(value: float | None, digits: int = 0) -> str:
    """`82 %` from .82."""
    return figures.percent(value, digits)


@register.simple_tag
def delta(
    value: float | None, verdict: str = "same", digits: int = 3, words: Any = ""
) -> SafeString:
    """Arrow, signed difference and words; colour only where the difference is clear."""
    if value is None or figures.is_missing(value):
        return SafeString("")
    arrow = "minus" if verdict == "same" else ("arrow-up" if value > 0 else "arrow-down")
    return component(
        "numbers/delta",
        tone=TONES[verdict],
        arrow=arrow,
        difference=figures.signed(value, digits),
        words=words or verdict_words(verdict),
    )


def verdict_words(verdict: str) -> str:
    return {"better": _("clearly better"), "worse": _("clearly worse")}.get(
        verdict, _("no clear difference")
    )


@register.simple_tag
def when(moment: datetime | date | None) -> SafeString:
    """Draw a `<time>`, "2 h ago", with the absolute time and its zone in the tooltip; the page
    refreshes the words.
    """
    if moment is None:
        return component("numbers/when")
    if not isinstance(moment, datetime):
        return component("numbers/when", machine=moment.isoformat(), words=date_format(moment))
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    absolute = f"{date_format(local, 'DATETIME_FORMAT')} {local.tzname() or ''}".strip()
    return component(
        "numbers/when", machine=moment.isoformat(), absolute=absolute, words=relative(moment)
    )


def relative(moment: datetime, now: datetime | None = None) -> str:
    """Return "just now", "52 min ago", "2 h ago", "yesterday", "4 days ago", then the date."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    if seconds < MINUTE:
        return _("just now")
    if seconds < HOUR:
        return _("%(n)s min ago") % {"n": int(seconds // MINUTE)}
    if seconds < DAY:
        return _("%(n)s h ago") % {"n": int(seconds // HOUR)}
    days = int(seconds // DAY)
    if days < 2:
        return _("yesterday")
    if days < 14:
        return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
    return date_format(timezone.localtime(moment), "DATE_FORMAT")


@register.simple_tag
def until(low: float | timedelta | None, high: float | timedelta | None = None) -> str:
    """Seconds to go as a range: "20 to 28 min left"; "estimating" where nothing is known."""
    if low is None:
        return _("estimating")
    first, last = _seconds(low), _seconds(high if high is not None else low)
    unit = MINUTE if last >= 2 * MINUTE else 1
    values = {"low": round(first / unit), "high": round(last / unit)}
    exact = values["low"] == values["high"]
    if unit == 1:
        return (_("%(high)s s left") if exact else _("%(low)s to %(high)s s left")) % values
    return (_("%(high)s min left") if exact else _("%(low)s to %(high)s min left")) % values


def _seconds(value: float | timedelta) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
