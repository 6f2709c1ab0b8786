"""A condition in plain words, for people who do not write rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fusion.knowledge.language import (
    And,
    Compare,
    Condition,
    Find,
    Known,
    Not,
    OneOf,
    Or,
    Test,
    Value,
    listed,
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
"""What `explain` says, by the form of a test; another language hands in the same keys."""

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
    """ "recordings.seconds is greater than 0.75 and the clue contains “pair”".

    names: dataset.column -> what people call it ("the clue"); a column without one keeps its own
    name.
    """
    call = names if callable(names) else (lambda name: (names or {}).get(name, name))
    return Speech(call, phrases).sentence(condition)


@dataclass(frozen=True)
class Speech:
    call: Callable[[str], str]
    phrases: Mapping[str, str]

    def sentence(self, condition: Condition) -> str:
        match condition:
            case And(parts):
                return self.phrases["and"].join(self.bracketed(part, (Or,)) for part in parts)
            case Or(parts):
                return self.phrases["or"].join(self.bracketed(part, (And,)) for part in parts)
            case Not(part):
                return self.negated(part)
            case Compare() | Find() | OneOf() | Known():
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
        return self.phrases[form].format(
            column=self.call(test.column.name), value=value_of(test, self.phrases)
        )


def form_of(test: Test) -> str:
    match test:
        case Compare():
            return test.op
        case Find():
            return test.how
        case OneOf():
            return "in"
        case Known():
            return "present" if test.present else "missing"


def value_of(test: Test, phrases: Mapping[str, str]) -> str:
    match test:
        case Compare():
            return shown(test.value, phrases)
        case Find():
            return shown(test.text, phrases)
        case OneOf():
            return listed(
                [shown(value, phrases) for value in test.values], phrases["comma"], phrases["last"]
            )
        case Known():
            return ""


def shown(value: Value, phrases: Mapping[str, str]) -> str:
    return phrases["text"].format(text=value) if isinstance(value, str) else number(value)
