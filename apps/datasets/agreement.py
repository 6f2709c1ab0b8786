"""Do the annotators agree? Counts come from DuckDB, the formulas are short enough to stand here
(scikit-learn stays out of the web process).

Cohen (1960): kappa = (p_o - p_e) / (1 - p_e), p_o the share on which two agree, p_e the share
expected from how often each says each label.
"""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from apps.datasets.browsing.duck import Row, ask, identifier
from apps.datasets.browsing.joins import table_file
from apps.datasets.models import Version

MAX_ANNOTATORS = 12
CONTRADICTIONS = 48


@dataclass(frozen=True)
class AnnotatorPair:
    first: str
    second: str
    kappa: float | None
    agree: float
    n: int


@dataclass(frozen=True)
class LabelAgreement:
    """The share, of the pairs of annotations in which this label stands, in which both say it
    (specific agreement).
    """

    label: str
    share: float
    n: int

    @property
    def percent(self) -> float:
        return 100 * self.share


@dataclass(frozen=True)
class DividedSample:
    key: str
    labels: list[tuple[str, str]]
    """(annotator, label)"""
    share: float

    def by(self, annotators: list[str]) -> list[str]:
        """The label of each annotator in this order, "" where one said nothing."""
        label_of = dict(self.labels)
        return [label_of.get(who, "") for who in annotators]


@dataclass
class Agreement:
    annotators: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    pairs: list[AnnotatorPair] = field(default_factory=list)
    labels: list[LabelAgreement] = field(default_factory=list)
    contradictions: list[DividedSample] = field(default_factory=list)
    n_samples: int = 0
    n_several: int = 0
    n_contradicted: int = 0

    @property
    def matrix(self) -> list[tuple[str, list[AnnotatorPair | None]]]:
        """One row an annotator, one cell an annotator; None on the diagonal and where two share no
        sample.
        """
        by_annotators = {(pair.first, pair.second): pair for pair in self.pairs} | {
            (pair.second, pair.first): pair for pair in self.pairs
        }
        return [
            (row, [by_annotators.get((row, column)) for column in self.annotators])
            for row in self.annotators
        ]


def kappa(counts: dict[tuple[str, str], int]) -> float | None:
    """Cohen's kappa from how often the first said one label and the second the other; None where
    chance alone gives full agreement.
    """
    n = sum(counts.values())
    if not n:
        return None
    labels = {label for pair in counts for label in pair}
    first = {label: sum(c for (a, _b), c in counts.items() if a == label) / n for label in labels}
    second = {label: sum(c for (_a, b), c in counts.items() if b == label) / n for label in labels}
    observed = sum(c for (a, b), c in counts.items() if a == b) / n
    expected = sum(first[label] * second[label] for label in labels)
    return None if expected >= 1 else (observed - expected) / (1 - expected)


def agreement_of(version: Version) -> Agreement:
    """Everything that the page of an annotation data set says of agreement, in one visit to its
    file.
    """
    key = identifier(version.key_column)
    annotations = (
        f"SELECT DISTINCT ON (key, annotator) {key}::VARCHAR AS key, annotator, label FROM t0 "
        "WHERE label IS NOT NULL AND annotator IS NOT NULL"
    )
    pairs = (
        f"WITH s AS ({annotations}) SELECT a.annotator AS one, b.annotator AS two, a.label AS x, "
        "b.label AS y, count(*) AS n "
        "FROM s a JOIN s b ON a.key = b.key AND a.annotator < b.annotator GROUP BY ALL"
    )
    people = (
        f"WITH s AS ({annotations}) SELECT annotator, count(*) AS n FROM s GROUP BY annotator "
        "ORDER BY n DESC, annotator"
    )
    sizes = (
        f"WITH s AS ({annotations}), k AS (SELECT key, count(*) AS votes, count(DISTINCT label) "
        "AS labels FROM s GROUP BY key) "
        "SELECT count(*) AS n, count(*) FILTER (votes > 1) AS several, count(*) FILTER (labels > "
        "1) AS contradicted FROM k"
    )
    against = (
        f"WITH s AS ({annotations}), c AS (SELECT key, label, count(*) AS n FROM s GROUP BY ALL), "
        "k AS (SELECT key, max(n) / sum(n) AS share FROM c GROUP BY key HAVING count(*) > 1) "
        "SELECT k.key, k.share, list(struct_pack(who := s.annotator, label := s.label) ORDER BY "
        "s.annotator) AS labels "
        f"FROM k JOIN s USING (key) GROUP BY ALL ORDER BY k.share, k.key LIMIT {CONTRADICTIONS}"
    )
    counted, persons, size, rows = ask(
        (table_file(version),), [(pairs, []), (people, []), (sizes, []), (against, [])]
    )
    return _assemble(counted, persons, size[0], rows)


def _assemble(counted: list[Row], persons: list[Row], size: Row, rows: list[Row]) -> Agreement:
    names = [row["annotator"] for row in persons][:MAX_ANNOTATORS]
    by_pair: dict[tuple[str, str], dict[tuple[str, str], int]] = {}
    for row in counted:
        by_pair.setdefault((row["one"], row["two"]), {})[(row["x"], row["y"])] = row["n"]
    pairs = [
        _pair(*pair, by_pair[pair]) for pair in combinations(sorted(names), 2) if pair in by_pair
    ]
    return Agreement(
        annotators=names,
        counts={row["annotator"]: row["n"] for row in persons},
        pairs=pairs,
        labels=_labels(counted),
        contradictions=[
            DividedSample(
                row["key"],
                [(annotation["who"], annotation["label"]) for annotation in row["labels"]],
                row["share"],
            )
            for row in rows
        ],
        n_samples=size["n"],
        n_several=size["several"],
        n_contradicted=size["contradicted"],
    )


def _pair(first: str, second: str, counts: dict[tuple[str, str], int]) -> AnnotatorPair:
    n = sum(counts.values())
    return AnnotatorPair(
        first, second, kappa(counts), sum(c for (a, b), c in counts.items() if a == b) / n, n
    )


def _labels(counted: list[Row]) -> list[LabelAgreement]:
    """2 x both / (first + second), over all pairs: Fleiss (1975), specific agreement."""
    n_both: dict[str, int] = {}
    n_either: dict[str, int] = {}
    for row in counted:
        for label in (row["x"], row["y"]):
            n_either[label] = n_either.get(label, 0) + row["n"]
        if row["x"] == row["y"]:
            n_both[row["x"]] = n_both.get(row["x"], 0) + row["n"]
    labels = [
        LabelAgreement(label, 2 * n_both.get(label, 0) / n, n) for label, n in n_either.items()
    ]
    return sorted(labels, key=lambda label: (label.share, label.label))


def annotations_of(versions: list[Version], key: str) -> list[dict[str, Any]]:
    """Return the annotations of one sample, [{dataset, annotator, label}], for its page."""
    annotations = []
    for version in versions:
        sql = (
            f"SELECT annotator, label FROM t0 WHERE {identifier(version.key_column)}::VARCHAR = ? "
            "ORDER BY annotator"
        )
        rows = ask((table_file(version),), [(sql, [key])])[0]
        annotations += [{"dataset": version.dataset, **row} for row in rows]
    return annotations
