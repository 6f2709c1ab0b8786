"""The rules of a run as its page shows them: in words, who obeys them, what each is worth, which
samples break it.
"""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.models import Run
from apps.experiments.recipe.encoder_choices import problem
from apps.experiments.words import note_in_words
from apps.projects.models import Discipline
from fusion.knowledge import Rule, check_rule, explain
from fusion.schema.discipline_scores import RuleScore
from fusion.schema.intervals import Interval, Pair
from fusion.schema.recipe import Recipe

SHOWN = 12
"""So many of the samples that break a rule are linked."""


@dataclass
class Broken:
    """words: how many samples break the rule; links: key and address of the first of them; more:
    how many are not linked.
    """

    words: str
    links: list[tuple[str, str]]
    more: int


@dataclass
class Line:
    name: str
    sentence: str
    discipline: Discipline | None
    covers: int
    labels_obey: Interval | None
    model_obeys: Interval | None
    model_obeys_without: float | None
    accuracy: Pair | None
    score: Pair | None
    tone: str
    icon: str
    verdict: str
    note: str
    broken: list[Broken]


@dataclass
class Knowledge:
    lines: list[Line]
    use: str


def knowledge(run: Run) -> Knowledge | None:
    """None for a run without rules."""
    result = run.evaluation
    if result is None or not result.rules:
        return None
    return Knowledge(
        [line(run, one, run.disciplines.get(one.rule.discipline)) for one in result.rules],
        use_words(run),
    )


def use_words(run: Run) -> str:
    words = {
        "training": _("They take part in training alone."),
        "prediction": _(
            "They take part at prediction alone: the networks are trained without them."
        ),
        "both": _("They take part in training and at prediction."),
    }
    return words.get(Recipe.parse(run.recipe).knowledge.use, "")


def line(run: Run, one: RuleScore, discipline: Discipline | None) -> Line:
    effect = one.effect
    tone, icon, verdict = verdict_of(effect.verdict if effect else "")
    return Line(
        name=one.rule.name, sentence=sentence(one.rule), discipline=discipline, covers=one.n_covered,
        labels_obey=one.labels_obey, model_obeys=one.answers_obey,
        model_obeys_without=one.answers_obey_without.value if one.answers_obey_without else None,
        accuracy=effect.accuracy if effect else None, score=effect.score if effect else None,
        tone=tone, icon=icon, verdict=verdict, note=note_in_words(effect.note if effect else None),
        broken=[each for each in (broken_labels(run, one), broken_answers(run, one)) if each.links],
    )  # fmt: skip


def verdict_of(verdict: str) -> tuple[str, str, str]:
    """Tone, icon and word."""
    words = {
        "helps": ("success", "arrow-up", _("helps")),
        "hurts": ("danger", "trending-down", _("hurts")),
        "no clear difference": ("plain", "minus", _("no clear difference")),
    }
    return words.get(verdict, ("plain", "minus", _("not compared")))


def broken_labels(run: Run, one: RuleScore) -> Broken:
    words = ngettext("%(n)s label breaks it", "%(n)s labels break it", one.n_labels_break) % {
        "n": f"{one.n_labels_break:,}"
    }
    return broken(run, words, one.labels_break, one.n_labels_break)


def broken_answers(run: Run, one: RuleScore) -> Broken:
    words = ngettext(
        "%(n)s answer of the model breaks it",
        "%(n)s answers of the model break it",
        one.n_answers_break,
    )
    return broken(
        run, words % {"n": f"{one.n_answers_break:,}"}, one.answers_break, one.n_answers_break
    )


def broken(run: Run, words: str, keys: list[str], n: int) -> Broken:
    links = [
        (key, reverse("workspace:sample", args=[run.project.slug, key])) for key in keys[:SHOWN]
    ]
    return Broken(words, links, n - len(links))


def sentence(rule: Rule) -> str:
    """ "When clues.clue contains “pair”, the label is two (weight 1)." """
    strength = (
        _("always") if rule.hard else _("weight %(weight)s") % {"weight": f"{rule.strength:g}"}
    )
    words = {
        "condition": explain(rule.condition, None, phrases()),
        "labels": either(rule.named_labels),
        "strength": strength,
    }
    if rule.label_not_in:
        return _("When %(condition)s, the label is not %(labels)s (%(strength)s).") % words
    return _("When %(condition)s, the label is %(labels)s (%(strength)s).") % words


def either(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s or %(last)s") % {"names": _(", ").join(names[:-1]), "last": names[-1]}


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


def problems(columns: list[str], labels: list[str], label_column: str, recipe: Recipe) -> list[str]:
    """What the engine would refuse about the recipe's rules and definitions, as far as names alone
    can tell.
    """
    found: list[str] = []
    for number, rule in enumerate(recipe.knowledge.rules, 1):
        where = _("Rule %(n)d (%(title)s)") % {"n": number, "title": rule.title}
        found += [f"{where}: {wrong}" for wrong in check_rule(rule, columns, labels, label_column)]
    words = _("%(label)s is defined, but it is no label; the labels are %(labels)s.")
    shown = ", ".join(labels[:SHOWN])
    found += [
        words % {"label": one.defined_label, "labels": shown}
        for one in recipe.knowledge.concepts
        if one.defined_label not in labels
    ]
    return found + (
        [reason]
        if recipe.knowledge.encoder and (reason := problem(recipe.knowledge.encoder, "text"))
        else []
    )
