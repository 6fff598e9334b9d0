"""The one clock. Nothing else asks for the time of day, so a test or a replay can set it."""

import os
from datetime import UTC, date, datetime

from catalog.errors import Refused


def now() -> datetime:
    """Aware UTC time; `LACONIC_NOW` (ISO date or date-time) overrides it. Raises `Refused` (exit 2) on a bad value."""
    text = os.environ.get("LACONIC_NOW")
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"LACONIC_NOW={text!r} is not an ISO date such as 2026-03-17", exit_code=2) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def today() -> date:
    return now().date()
