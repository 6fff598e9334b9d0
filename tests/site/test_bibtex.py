from catalog.entries import Paper
from catalog.pages.bibtex import bibtex, escape


def test_what_tex_reads_as_a_command_is_escaped() -> None:
    assert escape("\\input{x} 50% #1 & a_b $y$ ~ ^") == (
        r"\textbackslash{}input\{x\} 50\% \#1 \& a\_b \$y\$ \textasciitilde{} \textasciicircum{}"
    )


def test_a_record_keeps_capitals_and_names() -> None:
    paper = Paper(arxiv="2502.12067", title="A Title: {Braces}", authors=["Ann Lee", "Bo O'Neil"], year=2025, venue="A Place")
    assert bibtex(paper).splitlines() == [
        "@misc{lee2025title,",
        r"  title = {{A Title: \{Braces\}}},",
        "  author = {Ann Lee and Bo O'Neil},",
        "  year = {2025},",
        "  eprint = {2502.12067},",
        "  archivePrefix = {arXiv},",
        "  note = {A Place},",
        "}",
    ]
