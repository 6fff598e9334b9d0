"""A built page, smaller and the same to every reader: without what only Markdown, the highlighter or a template's author needed."""

import re
import string

# Marks were encoded for Markdown's sake. What HTML itself may read, in text or in attributes, quoted or not, stays encoded.
_DECODABLE = re.compile("&#(" + "|".join(str(ord(mark)) for mark in string.punctuation if mark not in "<>&\"'`=") + ");")
# Names, blanks, punctuation and operators of code have no colour of their own.
_PLAIN_CODE = re.compile(r'<span class="(?:n|w|p|o)">([^<]*)</span>')
_INDENT = re.compile(r">[ \t]*\n\s*<")


def slim(html: str) -> str:
    """Blanks between tags go around the main content alone: inside it stands code."""
    html = _PLAIN_CODE.sub(r"\1", _DECODABLE.sub(lambda found: chr(int(found[1])), html))
    head, opening, rest = html.partition("<article")
    content, closing, tail = rest.rpartition("</article>")
    if not closing:
        return html
    return "".join((_INDENT.sub(">\n<", head), opening, content, closing, _INDENT.sub(">\n<", tail)))
