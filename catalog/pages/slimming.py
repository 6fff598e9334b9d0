"""A built page, smaller and the same to every reader: without what only Markdown, the highlighter or a template's author needed."""

import re
import string
from collections import Counter

# Marks were encoded for Markdown's sake. What HTML itself may read, in text or in attributes, quoted or not, stays encoded.
_DECODED = {f"&#{ord(mark)};": mark for mark in string.punctuation if mark not in "<>&\"'`="}
_DECODABLE = re.compile("|".join(_DECODED))
# Names, blanks, punctuation and operators of code have no colour of their own.
_PLAIN_CODE = re.compile(r'<span class="(?:n|w|p|o)">([^<]*)</span>')
# Strings and comments come in pieces, by line and by mark, all of one colour.
_PIECES = re.compile(r'(<span class="(?:s[12d]?|c1)">)[^<]*</span>(?:\s*\1[^<]*</span>)+')
_TABLE = re.compile(r"<table\b([^>]*)>(.*?)</table>", re.DOTALL)
_SOURCE = re.compile(r'data-source="([^" ]+)([ "])')
_INDENT = re.compile(r">[ \t]*\n\s*<")


def slim(html: str) -> str:
    """Blanks between tags go around the main content alone: inside it stands code."""
    html = _PLAIN_CODE.sub(r"\1", _DECODABLE.sub(lambda found: _DECODED[found[0]], html))
    html = _PIECES.sub(lambda found: f"{found[1]}{found[0].replace(found[1], '').replace('</span>', '')}</span>", html)
    head, opening, rest = html.partition("<article")
    content, closing, tail = rest.rpartition("</article>")
    if not closing:
        return html
    content = _TABLE.sub(_one_file, content)
    return "".join((_INDENT.sub(">\n<", head), opening, content, closing, _INDENT.sub(">\n<", tail)))


def _one_file(table: re.Match[str]) -> str:
    """The file that most numbers of a table come from, said once: `data-file`, before each `data-source` that names none."""
    attributes, content = table.groups()
    sources = _SOURCE.findall(content)
    files = Counter(first for first, after in sources if after == " ")
    if not files or not all("/" in first for first, _ in sources):  # what is no file must not be taken for a place in one
        return table.group()
    file = files.most_common(1)[0][0]
    short = content.replace(f'data-source="{file} ', 'data-source="')
    return f'<table{attributes} data-file="{file}">{short}</table>'
