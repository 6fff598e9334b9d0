"""The audit: what the survey prints against what the papers print, and what papers print of one another. Rules in code.

Numbers are compared within one backbone and benchmark only. A source that was not read decides nothing. Between two runs of
one method nothing is judged: `side_by_side` shows them as changes against each paper's own baseline.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from catalog import entries
from catalog.auditing import errata, survey
from catalog.auditing.errata import Errata, Erratum
from catalog.auditing.survey import Method, Result, Survey
from catalog.entries import METRICS, Entry, Group
from catalog.errors import Refused, nearest

Verdict = Literal["agrees", "differs", "not_comparable", "unverified"]
VERDICTS: tuple[Verdict, ...] = ("agrees", "differs", "not_comparable", "unverified")

# Rule → what it says. A verdict always names the rule that gave it.
RULES = {
    "same_cell": "The source was read and has the number in the same cell: one of the two rounds to the other.",
    "other_number": "The source was read and has another number in that cell.",
    "torn_pair": "The cell's number is right for the row's label, but the accuracy beside it stands with another number.",
    "quoted_alone": "The number is known from quotes alone; the source was not read.",
    "nothing_read": "No source that could confirm or refute it was read.",
    "other_setup": "What was read has numbers of another backbone or benchmark alone.",
    "same_training": "The source was read and trains the same way.",
    "other_training": "The source was read and trains another way.",
    "models_seen": "Every model was met in a source that was read: beside a number, or in the code that runs it.",
    "other_models": "The source's own list of models was read and has no such model.",
    "own_tables": "Two tables of one work name different models for one method.",
    "own_classes": "A class that the survey itself defines; there is nothing to set it against.",
    "statement": "A sentence, link or label against its source, which was read.",
    "hearsay": "A sentence or label against what others say of its source.",
    "remark": "Right as it stands; the source says more.",
    "another_run": "A method measured anew by somebody else: another run, which proves nothing about the first.",
}

# Words of the survey's column → tags of our facet `training`.
TRAINING = {"Prompt": "none", "SFT": "sft", "DPO": "preference", "SimPO": "preference", "RL": "rl"}


@dataclass(frozen=True)
class Source:
    kind: str  # survey, or the evidence of an entry
    value: float | str | None
    locator: str


@dataclass(frozen=True)
class Row:
    """One number or label under audit."""

    method: str
    benchmark: str
    model: str
    setting: str
    metric: str
    verdict: Verdict
    rule: str
    sources: list[Source]
    place: str  # where it is printed: work, table and row
    erratum: str = ""
    cell: str = ""  # TABLE.ROW.METRIC of the survey


@dataclass(frozen=True)
class Change:
    """A row of a paper against that paper's own baseline: points of accuracy, per cent of tokens."""

    method: str
    setting: str
    baseline: str
    accuracy: float | None
    tokens: float | None
    group: Group


def audit(root: Path, entries: Iterable[Entry]) -> list[Row]:
    """Every row, those of the survey first.

    Raises `Refused` (exit 1) for a malformed file, a slug without an entry, and where verdicts and errata do not say the same.
    """
    printed, written, slips = survey.load(root), {entry.slug: entry for entry in entries}, errata.load(root)
    lines: list[Method | Result] = [*printed.method, *printed.result]
    for line in lines:
        if line.slug not in written:
            raise Refused(f"{survey.FILE}: row {line.row}: no entry for the slug {line.slug!r}{nearest(line.slug, written)}")
    rows = [*_table_1(printed, written), *_table_2(printed, written)]
    explained = {cell: slip for slip in slips.errata for cell in slip.cells}
    rows = [_explain(row, explained.get(row.cell)) for row in rows]
    _agree_with_errata(rows, slips)
    return [*rows, *_statements(slips), *_quotes(written)]


def counts(rows: Iterable[Row]) -> dict[str, int]:
    seen = Counter(row.verdict for row in rows)
    return {verdict: seen[verdict] for verdict in VERDICTS}


def same(left: float, right: float) -> bool:
    """Whether one rounds to the other: 51.0 and 50.9 do, 0.5 and 0.6 do not. Zeros at the end carry no precision."""
    places = [min(0, int(Decimal(repr(value)).normalize().as_tuple().exponent)) for value in (left, right)]
    return abs(Decimal(repr(left)) - Decimal(repr(right))) <= Decimal(10) ** max(places) / 2


def was_read(group: Group) -> bool:
    """The number stands in the paper or in its official repository, and was read there."""
    return group.verified and group.evidence in ("paper", "official repository")


def own(entry: Entry) -> Iterator[tuple[Group, entries.Row]]:
    """The rows of an entry that are its method's (or its baselines'), not another method's."""
    for group in entry.written.reported:
        for row in group.rows:
            if row.quotes is None:
                yield group, row


# --- the survey's Table 2 -----------------------------------------------------------------------------------------------


def _table_2(printed: Survey, written: dict[str, Entry]) -> Iterator[Row]:
    for line in printed.result:
        cells = [_cell(printed, line, metric, written[line.slug]) for metric in ("accuracy", "tokens") if _value(line, metric)]
        if len(cells) == 2 and (cells[0].verdict, cells[1].verdict) == ("differs", "agrees"):
            cells[1] = _torn(cells[1], line, written[line.slug])
        yield from cells


def _value(line: Result, metric: str) -> float | None:
    value: float | None = getattr(line, metric)
    return value


def _cell(printed: Survey, line: Result, metric: str, entry: Entry) -> Row:
    value, backbone = _value(line, metric), line.backbone or line.model
    assert value is not None
    place = f"arXiv {printed.arxiv}, Table 2, row {line.row}"
    # What an entry has from the survey alone is the survey's own word, and no second source.
    found = [(g, row) for g, row in own(entry) if g.evidence != "survey" and getattr(row, metric) is not None]
    here = [(group, row) for group, row in found if (group.benchmark, group.model) == (line.benchmark, backbone)]
    named = [(group, row) for group, row in here if row.setting in line.settings]
    read = [(group, row) for group, row in named if was_read(group)]
    sources = [Source("survey", value, f"{place}: {line.setting}")]
    sources += [Source(g.evidence, getattr(row, metric), f"{row.setting}: {g.locator}") for g, row in read or named]
    verdict: Verdict
    if read:
        agrees = any(same(value, getattr(row, metric)) for _, row in read)
        verdict, rule = ("agrees", "same_cell") if agrees else ("differs", "other_number")
    elif named:
        verdict, rule = "unverified", "quoted_alone"
    elif not here and any(was_read(group) for group, _ in found):
        verdict, rule = "not_comparable", "other_setup"
    else:
        verdict, rule = "unverified", "nothing_read"
    if rule in ("other_setup", "nothing_read"):
        elsewhere = next(((g, row) for g, row in found if same(value, getattr(row, metric))), None)
        if elsewhere:
            group, row = elsewhere
            where = f"{group.benchmark}, {group.model}, {row.setting}: {group.locator}"
            sources.append(Source(group.evidence, getattr(row, metric), where))
            verdict, rule = "unverified", "quoted_alone"
    return Row(
        line.slug, line.benchmark, line.model, line.setting, metric, verdict, rule, sources, place, cell=f"2.{line.row}.{metric}"
    )


def _torn(row: Row, line: Result, entry: Entry) -> Row:
    """The tokens are right by the label, but belong to another accuracy than the one they are printed with."""
    for group, source in own(entry):
        at_home = was_read(group) and (group.benchmark, group.model) == (line.benchmark, line.backbone or line.model)
        if not at_home or source.accuracy is None or source.tokens is None or line.tokens is None:
            continue
        if same(source.accuracy, line.accuracy) and not same(source.tokens, line.tokens):
            proof = Source(group.evidence, source.tokens, f"with {source.accuracy} %, {source.setting}: {group.locator}")
            return replace(row, verdict="differs", rule="torn_pair", sources=[*row.sources, proof])
    return row


# --- the survey's Table 1 -----------------------------------------------------------------------------------------------


def _table_1(printed: Survey, written: dict[str, Entry]) -> Iterator[Row]:
    for line in printed.method:
        place = f"arXiv {printed.arxiv}, Table 1, row {line.row}"
        for metric, value in (("form", line.form), ("applications", ", ".join(line.applications))):
            sources = [Source("survey", value, place)]
            yield _label(line, metric, "not_comparable", "own_classes", sources, place)
        yield _training(line, written[line.slug], place)
        yield _models(line, written[line.slug], [r for r in printed.result if r.slug == line.slug], place)


def _label(line: Method, metric: str, verdict: Verdict, rule: str, sources: list[Source], place: str) -> Row:
    return Row(line.slug, "", "", "", metric, verdict, rule, sources, place, cell=f"1.{line.row}.{metric}")


def _training(line: Method, entry: Entry, place: str) -> Row:
    sources = [Source("survey", line.training, place)]
    said = [stated for stated in entry.written.stated if stated.what == "training" and stated.verified]
    if not said:
        return _label(line, "training", "unverified", "nothing_read", sources, place)
    sources += [Source(stated.evidence, ", ".join(stated.value), stated.locator) for stated in said]
    agrees = {TRAINING[word.strip()] for word in line.training.split(",")} == set(said[0].value)
    verdict: Verdict
    verdict, rule = ("agrees", "same_training") if agrees else ("differs", "other_training")
    return _label(line, "training", verdict, rule, sources, place)


def _models(line: Method, entry: Entry, results: list[Result], place: str) -> Row:
    models = line.models_read or line.models
    sources = [Source("survey", ", ".join(line.models), place)]
    missing = [r for r in results if not {r.model, r.backbone} & {*models, *line.models}]
    if missing:
        where = f"the same work, Table 2, row {missing[0].row}"
        return _label(line, "models", "differs", "own_tables", [*sources, Source("survey", missing[0].model, where)], place)
    for stated in entry.written.stated:
        if stated.what == "models" and stated.verified:
            sources.append(Source(stated.evidence, ", ".join(stated.value), stated.locator))
            if not set(models) <= set(stated.value):
                return _label(line, "models", "differs", "other_models", sources, place)
    seen = {group.model: (group.evidence, group.locator) for group in entry.written.reported if was_read(group)}
    for stated in entry.written.stated:
        if stated.what == "some_models" and stated.verified:
            seen |= dict.fromkeys(stated.value, (stated.evidence, stated.locator))
    sources += [Source(seen[model][0], model, seen[model][1]) for model in models if model in seen]
    if set(models) <= seen.keys() or len(sources) > 1 and sources[1].value == ", ".join(models):
        return _label(line, "models", "agrees", "models_seen", sources, place)
    return _label(line, "models", "unverified", "nothing_read", sources, place)


# --- errata, and what papers say of one another -------------------------------------------------------------------------


def _explain(row: Row, slip: Erratum | None) -> Row:
    if slip is None:
        return row
    return replace(row, erratum=slip.id, sources=[*row.sources, Source(slip.evidence, slip.found, slip.locator)])


def _agree_with_errata(rows: list[Row], slips: Errata) -> None:
    """Nothing is called wrong without a proof, and every proof is heard."""
    verdicts = {row.cell: row for row in rows}
    proved = {cell: slip for slip in slips.errata if slip.proved for cell in slip.cells}
    for cell, row in verdicts.items():
        if row.verdict == "differs" and cell not in proved:
            raise Refused(f"{errata.FILE}: the audit finds that {cell} ({row.method}) differs, but no proved erratum names it")
    for slip in slips.errata:
        for cell in slip.cells:
            if cell not in verdicts:
                raise Refused(f"{errata.FILE}: (id {slip.id!r}).cells: {cell!r} is no cell of {survey.FILE}")
            if (verdicts[cell].verdict == "differs") is not slip.proved:
                raise Refused(f"{errata.FILE}: (id {slip.id!r}).cells: by the audit {cell!r} is {verdicts[cell].verdict}")


def _statements(slips: Errata) -> Iterator[Row]:
    works = {work.id: work for work in slips.works}
    for slip in slips.errata:
        if slip.cells:
            continue
        work = works[slip.work]
        place = f"{'arXiv ' + work.arxiv if work.arxiv else work.title}, {slip.place}"
        verdict: Verdict = "agrees" if slip.kind == "remark" else "differs" if slip.proved else "unverified"
        rule = "remark" if slip.kind == "remark" else "statement" if slip.proved else "hearsay"
        sources = [Source("survey" if slip.work == "survey" else "printed", slip.printed, place)]
        sources.append(Source(slip.evidence, slip.found, slip.locator))
        yield Row(next(iter(slip.methods), ""), "", "", slip.place, "statement", verdict, rule, sources, place, slip.id)


def _quotes(written: dict[str, Entry]) -> Iterator[Row]:
    for entry in written.values():
        for group in entry.written.reported:
            for row in group.rows:
                if row.quotes is not None:
                    for metric in METRICS:
                        if getattr(row, metric) is not None:
                            yield _quote(entry, group, row, metric, written[row.quotes.slug])


def _quote(entry: Entry, group: Group, row: entries.Row, metric: str, quoted: Entry) -> Row:
    assert row.quotes is not None
    value: float = getattr(row, metric)
    sources = [Source(group.evidence, value, f"{entry.slug}: {group.locator}")]
    theirs = [
        (g, r)
        for g, r in own(quoted)
        if r.setting == row.quotes.setting and g.benchmark == group.benchmark and getattr(r, metric) is not None
    ]
    at_home = [(g, r) for g, r in theirs if g.model == group.model] or ([] if row.quotes.rerun else theirs)
    sources += [Source(g.evidence, getattr(r, metric), f"{quoted.slug}: {g.locator}") for g, r in at_home]
    verdict: Verdict
    if row.quotes.rerun:
        verdict, rule = "not_comparable", "another_run"
    elif not at_home:
        verdict, rule = "unverified", "nothing_read"
    elif not was_read(group) or not was_read(at_home[0][0]):
        verdict, rule = "unverified", "quoted_alone"
    else:
        agrees = same(value, getattr(at_home[0][1], metric))
        verdict, rule = ("agrees", "same_cell") if agrees else ("differs", "other_number")
    place = f"{entry.file}: {group.locator}"
    return Row(quoted.slug, group.benchmark, group.model, row.setting, metric, verdict, rule, sources, place)


# --- side by side -------------------------------------------------------------------------------------------------------


def side_by_side(written: Iterable[Entry]) -> dict[tuple[str, str], list[Change]]:
    """(benchmark, model) → what two methods or more changed there, each against the baseline of its own paper."""
    found: dict[tuple[str, str], list[Change]] = {}
    for entry in written:
        for group in entry.written.reported:
            base = next((row for row in group.rows if row.baseline), None)
            for row in group.rows:
                if base and not row.baseline and row.quotes is None:
                    change = Change(entry.slug, row.setting, base.setting, *_against(row, base), group)
                    if change.accuracy is not None or change.tokens is not None:
                        found.setdefault((group.benchmark, group.model), []).append(change)
    return {where: rows for where, rows in sorted(found.items()) if len({row.method for row in rows}) > 1}


def _against(row: entries.Row, base: entries.Row) -> tuple[float | None, float | None]:
    points = None if row.accuracy is None or base.accuracy is None else round(row.accuracy - base.accuracy, 2)
    share = row.length_change
    if row.tokens is not None and base.tokens:
        share = round(100 * (row.tokens / base.tokens - 1), 1)
    return points, share
