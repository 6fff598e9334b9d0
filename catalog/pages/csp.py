"""A Content-Security-Policy in every page: its scripts are the theme's own, and nothing else may run or be fetched."""

import hashlib
import re
from base64 import b64encode
from pathlib import Path

from catalog.errors import Refused
from catalog.pages.slimming import slim

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)
# In small letters, and three: one expression of all would have no first letter to look for, and take twice as long.
_LIVE = [
    re.compile(expression)
    for expression in (r"<(?:script|iframe|object|embed|form|base|link|meta)\b", r"<[^>]+\son\w+\s*=", "javascript:")
]


def add_policies(folder: Path) -> None:
    """Writes the policy into each page below `folder`. Raises `Refused` where the main content holds anything live."""
    for path in sorted(folder.rglob("*.html")):
        html = path.read_text("utf-8")
        path.write_text(with_policy(html, path.relative_to(folder).as_posix()), "utf-8")


def with_policy(html: str, name: str) -> str:
    """The page, slimmed, with a `<meta>` policy that names its inline scripts by their hashes."""
    _refuse_live(html, name)  # while a text is still encoded, so that none is taken for markup
    html = slim(html)
    scripts = []
    for attributes, body in _SCRIPT.findall(html):
        if "src=" not in attributes and "application/json" not in attributes:
            digest = b64encode(hashlib.sha256(body.encode()).digest()).decode()
            scripts.append(f"'sha256-{digest}'")
    policy = "; ".join((
        "default-src 'none'", f"script-src 'self' {' '.join(dict.fromkeys(scripts))}", "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:", "font-src 'self'", "connect-src 'self'", "worker-src 'self'", "manifest-src 'self'",
        "base-uri 'none'", "form-action 'self'",
    ))  # fmt: skip
    charset = '<meta charset="utf-8">'
    return html.replace(charset, f'{charset}\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)


def _refuse_live(html: str, name: str) -> None:
    article = html[html.find("<article") : html.rfind("</article>")]
    # The theme ends each article with a script of its own; any other would have come from a page's text.
    article = re.sub(r"<script>var (?:tabs|target)=.*?</script>", "", article, flags=re.DOTALL).lower()
    for live in _LIVE:
        if found := live.search(article):
            raise Refused(f"{name}: the text of this page became live markup: {found.group()[:60]!r}")
