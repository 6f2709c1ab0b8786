"""The card "Do rules help?": the rules of a run in words, who obeys them, what each is worth, which
samples break it.
"""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.models import Run
from apps.experiments.words import either, note_in_words
from apps.projects.models import Discipline
from fusion.knowledge import Rule, explain
from fusion.schema.discipline_scores import RuleScore
from fusion.schema.intervals import Interval, Pair
from fusion.schema.recipe import Recipe

SHOWN = 12
"""So many of the samples that break a rule are linked."""


@dataclass(frozen=True)
class Verdict:
    tone: str
    icon: str
    words: str


@dataclass(frozen=True)
class BrokenBy:
    """Samples that break a rule; `links`: key and address of the first, `more`: how many are not
    linked.
    """

    words: str
    links: list[tuple[str, str]]
    more: int


@dataclass(frozen=True)
class JudgedRule:
    name: str
    sentence: str
    discipline: Discipline | None
    covers: int
    labels_obey: Interval | None
    model_obeys: Interval | None
    model_obeys_without: float | None
    accuracy: Pair | None
    score: Pair | None
    verdict: Verdict
    note: str
    broken: list[BrokenBy]


@dataclass(frozen=True)
class RulesSection:
    rules: list[JudgedRule]
    use: str


def section(run: Run) -> RulesSection | None:
    """The card; None for a run without rules."""
    result = run.evaluation
    if result is None or not result.rules:
        return None
    return RulesSection([judged(run, row) for row in result.rules], use_in_words(run))


def use_in_words(run: Run) -> str:
    words = {
        "training": _("They take part in training alone."),
        "prediction": _(
            "They take part at prediction alone: the networks are trained without them."
        ),
        "both": _("They take part in training and at prediction."),
    }
    return words.get(Recipe.stored(run.recipe).knowledge.use, "")


def judged(run: Run, row: RuleScore) -> JudgedRule:
    effect, without = row.effect, row.answers_obey_without
    broken = [broken_by_labels(run, row), broken_by_predictions(run, row)]
    return JudgedRule(
        name=row.rule.name,
        sentence=sentence(row.rule),
        discipline=run.disciplines.get(row.rule.discipline),
        covers=row.n_covered,
        labels_obey=row.labels_obey,
        model_obeys=row.answers_obey,
        model_obeys_without=without.value if without else None,
        accuracy=effect.accuracy if effect else None,
        score=effect.score if effect else None,
        verdict=verdict_of(effect.verdict if effect else ""),
        note=note_in_words(effect.note if effect else None),
        broken=[samples for samples in broken if samples.links],
    )


def verdict_of(verdict: str) -> Verdict:
    verdicts = {
        "helps": Verdict("success", "arrow-up", _("helps")),
        "hurts": Verdict("danger", "trending-down", _("hurts")),
        "no clear difference": Verdict("plain", "minus", _("no clear difference")),
    }
    return verdicts.get(verdict, Verdict("plain", "minus", _("not compared")))


def broken_by_labels(run: Run, row: RuleScore) -> BrokenBy:
    words = ngettext("%(n)s label breaks it", "%(n)s labels break it", row.n_labels_break)
    return broken_by(run, words, row.labels_break, row.n_labels_break)


def broken_by_predictions(run: Run, row: RuleScore) -> BrokenBy:
    words = ngettext(
        "%(n)s answer of the model breaks it",
        "%(n)s answers of the model break it",
        row.n_answers_break,
    )
    return broken_by(run, words, row.answers_break, row.n_answers_break)


def broken_by(run: Run, words: str, keys: list[str], n: int) -> BrokenBy:
    slug = run.project.slug
    links = [(key, reverse("workspace:sample", args=[slug, key])) for key in keys[:SHOWN]]
    return BrokenBy(words % {"n": f"{n:,}"}, links, n - len(links))


def sentence(rule: Rule) -> str:
    """`When clues.clue contains “pair”, the label is two (weight 1).`"""
    weight = _("weight %(weight)s") % {"weight": f"{rule.strength:g}"}
    words = {
        "condition": explain(rule.condition, None, phrases()),
        "labels": either(rule.named_labels),
        "strength": _("always") if rule.hard else weight,
    }
    if rule.label_not_in:
        return _("When %(condition)s, the label is not %(labels)s (%(strength)s).") % words
    return _("When %(condition)s, the label is %(labels)s (%(strength)s).") % words


def phrases() -> dict[str, str]:
    """The forms of `fusion.knowledge.ENGLISH` in the reader's language."""
    return {
        "=": _("{column} is {value}"),
        "!=": _("{column} is not {value}"),
        "<": _("{column} is less than {value}"),
        "<=": _("{column} is at most {value}"),
        ">": _("{column} is greater than {value}"),
        ">=": _("{column} is at least {value}"),
        "contains": _("{column} contains {value}"),
        "starts with": _("{column} starts with {value}"),
        "matches": _("{column} matches the pattern {value}"),
        "in": _("{column} is one of {value}"),
        "missing": _("{column} is missing"),
        "present": _("{column} is present"),
        "not contains": _("{column} does not contain {value}"),
        "not starts with": _("{column} does not start with {value}"),
        "not matches": _("{column} does not match the pattern {value}"),
        "not in": _("{column} is none of {value}"),
        "not": _("it is not so that {part}"),
        "and": _(" and "),
        "or": _(" or "),
        "brackets": _("({part})"),
        "text": _("“{text}”"),
        "comma": _(", "),
        "last": _(" or "),
    }
