"""What the tagger is worth: trained on all examples, judged on those held out and on samples that people read."""

from collections import Counter
from typing import Any

import numpy as np

from catalog import tagging
from catalog.tagging import labelled, linear_model
from catalog.tagging.labelled import Labels
from scripts import _tagger_training as training

FORMS, SCOPES = ["explicit", "implicit", "adjacent"], ["in", "borderline", "out"]
FOLDS, SEEDS = 10, [0, 1, 2]
# What an example of scope counts, by who says so: the lists' papers are unlike those that no list names.
ELSEWHERE = "read, listed elsewhere"
WEIGHTS = {"section of a list": 0.3, "read": 1.5, ELSEWHERE: 1.5, "skimmed": 1.0, "assumed": 0.5}
LOOKS = 1  # how often the total over READ has been looked at, this time included
# How many unread records each stratum of READ was drawn from: two draws of 200, taken together.
STRATA = {"titled": 219, "twice": 418, "once": 1614, "word": 4887, "rest": 19612}
FRESH = (3, 4)  # samples drawn from all records that no list names, each read by two readers
RESAMPLED = 2_000  # bootstrap draws of an interval

Features = dict[str, set[str]]
Table = list[list[int]]  # rows: labelled, columns: said, in the order of the classes


def validate(
    labels: Labels, read: dict[str, Any], first: set[str], fresh: list[dict[str, Any]], found: Features, reader: tagging.Tagger
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the record, the model trained on all examples)."""
    listed = [key for key in sorted(labels.claims) if key in found and key not in labels.ambiguous]
    formed = {key: form for key in listed if (form := labels.form(key))}
    wider = {key: form for key in listed if (form := labels.form(key, in_scope=False))}
    scoped = {
        key: scope
        for key in sorted(set(labels.claims) | set(labels.unlisted))
        if key in found and key not in read and (scope := labels.scope(key))
    }
    counts = [WEIGHTS[_source(labels, key)] for key in scoped]
    about_scope, found = _about_scope(found), _about_form(found, reader)
    chosen = [about_scope[key] for key in scoped]
    of_scope = training.fit(chosen, list(scoped.values()), SCOPES, counts, training.SCOPE_STRENGTH)
    of_form = _fit(formed, found, FORMS)
    model = linear_model.from_json(reader.model.version, {"form": of_form, "scope": of_scope})
    tagger = tagging.Tagger(reader.taxonomy, reader.rules, model)
    crossed = _cross_scope(labels, scoped, about_scope, counts)
    unread = [(row["stratum"], row["scope"], tagger.scope(about_scope[key])) for key, row in sorted(read.items()) if key in found]
    record = {
        "command": "laconic tagger --records RECORDS",
        "form": {
            "used": _count(formed, FORMS),
            "dropped": labelled.dropped(labels, found),
            "cross_validation": _cross(formed, found, FORMS, SEEDS),
            "without_rules": _cross(formed, _without_rules(found), FORMS, SEEDS[:1]),
            "rules_alone": _scored([(form, _by_rules(found[key])) for key, form in formed.items()], FORMS),
            "with_sections_that_are_borderline_in_scope": _cross(wider, found, FORMS, SEEDS[:1]),
            "one_list_left_out": _lists_left_out(labels, formed, found),
            "ambiguous": {
                key: {
                    "lists": sorted({f"{claim.list_name}: {claim.form}" for claim in labels.claims.get(key, []) if claim.form}),
                    "tagger": model.ask("form", found[key]) if key in found else "no abstract",
                }
                for key in labels.ambiguous
            },
        },
        "scope": {
            "used": _count(scoped, SCOPES),
            "used_by_source": _sources(labels, scoped),
            "fresh_samples": _fresh(scoped, fresh, about_scope, counts),
            "cross_validation": {"folds": 5, "seeds": [0], "n": len(crossed), **_scored([row[1:] for row in crossed], SCOPES)},
            "by_reading": {"looks_at_this_sample": LOOKS, **_by_reading(unread)},
            "first_sample_by_cross_validation": _by_reading([("", *row[1:]) for row in crossed if row[0] in first]),
            "all_that_no_list_names": _all([("", *row[1:]) for row in crossed if _source(labels, row[0]) != ELSEWHERE], unread),
        },
    }
    return record, {"form": of_form, "scope": of_scope}


def _fit(labelled: dict[str, str], found: Features, classes: list[str]) -> dict[str, Any]:
    return dict(training.fit([found[key] for key in labelled], list(labelled.values()), classes))


def _count(labelled: dict[str, str], classes: list[str]) -> dict[str, int]:
    return {name: sum(label == name for label in labelled.values()) for name in classes}


def _sources(labels: Labels, scoped: dict[str, str]) -> dict[str, dict[str, int]]:
    by: dict[str, dict[str, str]] = {name: {} for name in WEIGHTS}
    for key, scope in scoped.items():
        by[_source(labels, key)][key] = scope
    return {name: _count(rows, SCOPES) for name, rows in by.items()}


def _source(labels: Labels, key: str) -> str:
    return labels.unlisted[key][1] if key in labels.unlisted else "section of a list"


def _cross_scope(
    labels: Labels, scoped: dict[str, str], found: Features, counts: list[float]
) -> list[tuple[str, str, str]]:
    """(id, label, said) of each example that somebody looked at; trained on the others, by the thresholds of `tagging`."""
    keys, given = list(scoped), list(scoped.values())
    asked = training.held_out(keys, [found[key] for key in keys], given, SCOPES, 5, 0, counts, training.SCOPE_STRENGTH)
    sure = {key: model.heads["held out"](model.known(found[key]))[0] for key, model in asked}
    looked_at = [key for key in keys if _source(labels, key) not in ("section of a list", "assumed")]
    return [(key, scoped[key], tagging.scope_of(sure[key])) for key in looked_at]


def _fresh(scoped: dict[str, str], fresh: list[dict[str, Any]], found: Features, counts: list[float]) -> dict[str, Any]:
    """Samples drawn from all that no list names, asked of a model that learned from none of them; against each reader in turn."""
    drawn = {row["id"] for row in fresh}
    used = [(key, count) for key, count in zip(scoped, counts, strict=True) if key not in drawn]
    given = [scoped[key] for key, _ in used]
    raw = training.fit([found[key] for key, _ in used], given, SCOPES, [count for _, count in used], training.SCOPE_STRENGTH)
    model = linear_model.from_json(0, {"fresh": raw})
    said = {key: tagging.scope_of(model.heads["fresh"](model.known(found[key]))[0]) for key in sorted(drawn)}

    def judged(sample: int, reader: int) -> dict[str, Any]:
        rows = [row for row in fresh if row["sample"] == sample]
        return _by_reading([(row["stratum"], row["readers"][reader], said[row["id"]]) for row in rows])

    return {"learned_from": len(used), **{f"sample {sample}": [judged(sample, reader) for reader in (0, 1)] for sample in FRESH}}


def _cross(
    labelled: dict[str, str], found: Features, classes: list[str], seeds: list[int], folds: int = FOLDS
) -> dict[str, Any]:
    """Each paper stands in one fold; mean over seeds, table and interval of the first."""
    keys = list(labelled)
    said = []
    for seed in seeds:
        asked = training.held_out(keys, [found[key] for key in keys], list(labelled.values()), classes, folds, seed)
        answers = {key: model.ask("held out", found[key]) for key, model in asked}
        said.append([(labelled[key], answers[key]) for key in keys])
    scores = [_macro_f1(_table(pairs, classes)) for pairs in said]
    return {"folds": folds, "seeds": seeds, **_scored(said[0], classes), "macro_f1": round(float(np.mean(scores)), 4)}


def _scored(pairs: list[tuple[str, str]], classes: list[str]) -> dict[str, Any]:
    table = _table(pairs, classes)
    low, high = _interval(pairs, lambda drawn: _macro_f1(_table(drawn, classes)))
    each = {name: round(_f1(table, at), 4) for at, name in enumerate(classes)}
    return {"macro_f1": round(_macro_f1(table), 4), "low": low, "high": high, "f1": each, "classes": classes, "table": table}


def _table(pairs: list[tuple[str, str]], classes: list[str]) -> Table:
    return [[sum(pair == (label, said) for pair in pairs) for said in classes] for label in classes]


def _f1(table: Table, at: int) -> float:
    right = table[at][at]
    return 2 * right / (sum(table[at]) + sum(row[at] for row in table) or 1)


def _macro_f1(table: Table) -> float:
    return sum(_f1(table, at) for at in range(len(table))) / len(table)


def _interval(rows: list[Any], score: Any) -> tuple[float, float]:
    """95 % by bootstrap over papers."""
    draw = np.random.default_rng(0)
    scores = [score([rows[at] for at in draw.integers(len(rows), size=len(rows))]) for _ in range(RESAMPLED)]
    low, high = np.quantile(scores, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def _about_form(found: Features, reader: tagging.Tagger) -> Features:
    """Without rules that speak of something else than form, and without how often a rule fires."""
    rules = {rule for rule, tag in reader.rules.tags.items() if reader.taxonomy.facet_of(tag) == "form"}
    return {key: {term for term in terms if "#" not in term or term.partition("#")[2] in rules} for key, terms in found.items()}


def _about_scope(found: Features) -> Features:
    """Without pairs of words: concepts that stand in one sentence say the same with far fewer terms."""
    return {key: {term for term in terms if "#" in term or " " not in term} for key, terms in found.items()}


def _without_rules(found: Features) -> Features:
    return {key: {term for term in features if "#" not in term} for key, features in found.items()}


def _by_rules(features: set[str]) -> str:
    """The form most of whose rules fire; what no rule speaks for counts as explicit, the largest class."""
    under = {"explicit": ("explicit", "cot_"), "implicit": ("implicit", "latent_reasoning"), "adjacent": ("adjacent",)}
    fired = [term.split("#")[1] for term in features if "#" in term]
    votes = {form: sum(rule.startswith(names) for rule in fired) for form, names in under.items()}
    return max(votes, key=lambda form: votes[form])


def _lists_left_out(labels: Labels, formed: dict[str, str], found: Features) -> dict[str, Any]:
    """Trained on what the other lists alone say of other papers, asked about the papers of one list."""
    results = {}
    for name in sorted({claim.list_name for claims in labels.claims.values() for claim in claims}):
        own = {
            key: form
            for key in formed
            if (form := next((claim.form for claim in labels.claims[key] if claim.list_name == name and claim.form), None))
        }
        others = {key: form for key in formed if key not in own and (form := labels.form(key, without=name))}
        if own:
            model = linear_model.from_json(0, {name: _fit(others, found, FORMS)})
            pairs = [(form, model.ask(name, found[key])) for key, form in own.items()]
            right = sum(label == said for label, said in pairs)
            results[name] = {"n": len(own), "accuracy": round(right / len(own), 4), "table": _table(pairs, FORMS)}
    return results


def _by_reading(rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Of (stratum, label, said); an empty stratum where none was kept."""

    def in_f1(some: list[tuple[str, str, str]]) -> float:
        return _in_f1([(1, label, said) for _, label, said in some])

    def pairs(some: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
        return [(label, said) for _, label, said in some]

    low, high = _interval(rows, in_f1)
    clear = [row for row in rows if row[1] != "borderline"]
    return {
        "n": len(rows),
        "in_f1": round(in_f1(rows), 4),
        "low": low,
        "high": high,
        "in_f1_without_those_labelled_borderline": round(in_f1(clear), 4),
        "interval_without_those_labelled_borderline": _interval(clear, in_f1),
        "classes": SCOPES,
        "table": _table(pairs(rows), SCOPES),
        "by_stratum": {
            name: _table(pairs([row for row in rows if row[0] == name]), SCOPES) for name in sorted({row[0] for row in rows})
        },
    }


def _all(crossed: list[tuple[str, str, str]], unread: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Every record that no list names: those looked at, asked by cross-validation; of the others the sample stands for all."""
    drawn = Counter(stratum for stratum, *_ in unread)
    own = [(1.0, label, said) for _, label, said in crossed]
    rest = [(STRATA[stratum] / drawn[stratum], label, said) for stratum, label, said in unread]
    return {
        "looked_at": len(own),
        "unread": sum(STRATA.values()),
        "in_f1": round(_in_f1(own + rest), 4),
        "interval": _interval(own + rest, _in_f1),
        "in_f1_of_those_looked_at": round(_in_f1(own), 4),
        "in_f1_of_the_unread": round(_in_f1(rest), 4),
    }


def _in_f1(rows: list[tuple[float, str, str]]) -> float:
    """Of (records that this one stands for, label, said)."""
    right = sum(weight for weight, label, said in rows if label == said == "in")
    return 2 * right / (sum(weight * ((label == "in") + (said == "in")) for weight, label, said in rows) or 1)
