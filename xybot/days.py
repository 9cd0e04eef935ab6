"""Days as the seller counts them: by the clock on the wall of this machine."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo


def next_at(now_ms: int, since_midnight: timedelta, zone: tzinfo | None = None) -> int:
    """Return when the clock on the wall next shows a time (ms), after now."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()
    days = (datetime.combine(today + timedelta(days=n), time.min, zone) for n in range(3))
    times = (round(1000 * (day + since_midnight).timestamp()) for day in days)
    return next(at for at in times if at > now_ms)


def midnight(now_ms: int, *, days_ago: int = 0, zone: tzinfo | None = None) -> int:
    """Return when today began, or a day before it (ms); `zone` None is that of this machine."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()
    day = datetime.combine(today - timedelta(days=days_ago), time.min, zone)
    return round(1000 * day.astimezone(zone).timestamp())
