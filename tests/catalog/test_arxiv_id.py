"""Which strings are arXiv ids: properties of the grammar, and the forms that real links take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import arxiv_id

months = st.integers(1, 12).map("{:02d}".format)
modern = st.builds("{:02d}{}.{:05d}".format, st.integers(15, 29), months, st.integers(1, 99999))
early = st.builds("{:02d}{}.{:04d}".format, st.integers(8, 14), months, st.integers(1, 9999))
old = st.builds(
    "{}/{:02d}{}{:03d}".format,
    st.sampled_from(sorted(arxiv_id.ARCHIVES)),
    st.integers(91, 99) | st.integers(0, 6),
    months,
    st.integers(1, 999),
)
ids = modern | early | old


@pytest.mark.fuzz
@given(ids)
def test_a_valid_id_is_itself(number: str) -> None:
    assert arxiv_id.bare(number) == number


@pytest.mark.fuzz
@given(modern | early, st.text("0123456789", min_size=1, max_size=3))
def test_more_digits_make_it_no_id(number: str, more: str) -> None:
    longer = number + more
    found = arxiv_id.bare(longer)
    assert found in (None, longer)
    assert found is None or number < "1501"


@pytest.mark.fuzz
@given(
    ids,
    st.integers(1, 40) | st.none(),
    st.sampled_from(["abs", "pdf", "html"]),
    st.sampled_from(["", ".pdf", "?x=1", "#s", " "]),
)
def test_every_form_of_link_prints_the_same_id(number: str, version: int | None, folder: str, tail: str) -> None:
    suffix = "" if version is None else f"v{version}"
    for host in ("https://arxiv.org", "http://www.arxiv.org", "https://export.arxiv.org"):
        found = arxiv_id.from_url(f"{host}/{folder}/{number}{suffix}{tail}")
        assert found is not None
        assert (found.bare, found.version) == (number, version)
    found = arxiv_id.from_url(f"https://doi.org/10.48550/arXiv.{number}")
    assert found is not None
    assert found.bare == number


@pytest.mark.fuzz
@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    for found in (arxiv_id.read(text), arxiv_id.from_url("https://arxiv.org/abs/" + text)):
        assert found is None or found.bare is None or arxiv_id.bare(found.bare) == found.bare


@pytest.mark.parametrize(
    "text",
    ["2313.00001", "2500.00001", "2501.0001", "1412.00001", "2501.00000", "0703.0001", "nope/0101001", "cs/9913001"],
)
def test_what_looks_like_an_id_and_is_none(text: str) -> None:
    assert arxiv_id.bare(text) is None


def test_a_malformed_id_is_kept_as_printed_and_never_cut() -> None:
    assert arxiv_id.from_url("https://arxiv.org/abs/2502.155892") == arxiv_id.Printed("2502.155892", None, None)


def test_a_subject_class_is_dropped() -> None:
    assert arxiv_id.bare("math.GT/0309136") == "math/0309136"


@pytest.mark.parametrize(
    "url",
    ["https://arxiv.org/list/cs.CL/2502", "https://github.com/a/2502.12345", "http://[x", "https://arxiv.org/abs/"],
)
def test_links_that_lead_to_no_paper(url: str) -> None:
    assert arxiv_id.from_url(url) is None
