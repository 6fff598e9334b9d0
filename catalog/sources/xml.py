"""Bodies that claim to be XML: whole, well-formed, and read without entities, DTDs or the network."""

from lxml import etree

from catalog.sources.polite import BadAnswer
from catalog.text import clean


def parse(place: str, body: bytes, ending: bytes) -> etree._Element:
    """The root of a body that ends as it must (`</feed>`). Raises `BadAnswer` naming `place` for anything else."""
    if b"<html" in body[:500].lower():
        raise BadAnswer(f"{place}: an HTML page instead of XML")
    if not body.rstrip().endswith(ending):
        raise BadAnswer(f"{place}: cut short after {len(body)} bytes")
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise BadAnswer(f"{place}: not well-formed XML ({clean(str(error))[:200]})") from None
