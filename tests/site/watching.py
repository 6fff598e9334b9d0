"""A page in headless Chromium, and a note of what it should not do."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def watched(browser: "Browser", here: str, **context: object) -> tuple["Page", list[str]]:
    """A page, and what it should not do: complain, or ask any host but its own."""
    page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(10_000)
    bad: list[str] = []
    page.on("console", lambda m: bad.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: bad.append(str(error)))
    page.on("dialog", lambda dialog: bad.append(f"dialog {dialog.message}"))
    page.on("request", lambda r: None if r.url.startswith((here, "data:", "blob:")) else bad.append(r.url))
    return page, bad
