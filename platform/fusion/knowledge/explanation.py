"""A condition in plain words, for people who do not write rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fusion.knowledge.conditions import (
    And,
    Compare,
    Condition,
    Find,
    Not,
    OneOf,
    Or,
    Presence,
    Test,
    listed,
    literals,
    number,
)

ENGLISH = {
    "=": "{column} is {value}",
    "!=": "{column} is not {value}",
    "<": "{column} is less than {value}",
    "<=": "{column} is at most {value}",
    ">": "{column} is greater than {value}",
    ">=": "{column} is at least {value}",
    "contains": "{column} contains {value}",
    "starts with": "{column} starts with {value}",
    "matches": "{column} matches the pattern {value}",
    "in": "{column} is one of {value}",
    "missing": "{column} is missing",
    "present": "{column} is present",
    "not contains": "{column} does not contain {value}",
    "not starts with": "{column} does not start with {value}",
    "not matches": "{column} does not match the pattern {value}",
    "not in": "{column} is none of {value}",
    "not": "it is not so that {part}",
    "and": " and ",
    "or": " or ",
    "brackets": "({part})",
    "text": "“{text}”",
    "comma": ", ",
    "last": " or ",
}
"""The words of `explain` by the form of a test; another language hands in the same keys."""

OPPOSITE = {
    "=": "!=",
    "!=": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "missing": "present",
    "present": "missing",
}


def explain(
    condition: Condition,
    names: Mapping[str, str] | Callable[[str], str] | None = None,
    phrases: Mapping[str, str] = ENGLISH,
) -> str:
    """Return "recordings.seconds is greater than 0.75 and the clue contains “pair”".

    names: dataset.column -> what people call it ("the clue"); other columns keep their own name.
    """
    spoken = names if callable(names) else (lambda name: (names or {}).get(name, name))
    return Explainer(spoken, phrases).sentence(condition)


@dataclass(frozen=True)
class Explainer:
    spoken_name: Callable[[str], str]
    phrases: Mapping[str, str]

    def sentence(self, condition: Condition) -> str:
        match condition:
            case And(parts):
                return self.phrases["and"].join(self.bracketed(part, (Or,)) for part in parts)
            case Or(parts):
                return self.phrases["or"].join(self.bracketed(part, (And,)) for part in parts)
            case Not(part):
                return self.negated(part)
            case Compare() | Find() | OneOf() | Presence():
                return self.test(condition, form_of(condition))

    def negated(self, part: Condition) -> str:
        if isinstance(part, And | Or | Not):
            return self.phrases["not"].format(part=self.bracketed(part, (And, Or)))
        form = form_of(part)
        return self.test(part, OPPOSITE.get(form, f"not {form}"))

    def bracketed(self, part: Condition, kinds: tuple[type, ...]) -> str:
        words = self.sentence(part)
        return self.phrases["brackets"].format(part=words) if isinstance(part, kinds) else words

    def test(self, test: Test, form: str) -> str:
        values = [
            self.phrases["text"].format(text=value) if isinstance(value, str) else number(value)
            for value in literals(test)
        ]
        return self.phrases[form].format(
            column=self.spoken_name(test.column.name),
            value=listed(values, self.phrases["comma"], self.phrases["last"]),
        )


def form_of(test: Test) -> str:
    match test:
        case Compare():
            return test.op
        case Find():
            return test.how
        case OneOf():
            return "in"
        case Presence():
            return "present" if test.present else "missing"
