"""A condition in plain words, for people who do not write rules."""

from collections.abc import Callable, Mapping

from .language import And, Compare, Condition, Find, Known, Not, OneOf, Or, Test, Value, listed, number

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

OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "missing": "present", "present": "missing"}


def explain(
    condition: Condition,
    names: Mapping[str, str] | Callable[[str], str] | None = None,
    phrases: Mapping[str, str] = ENGLISH,
) -> str:
    """ "recordings.seconds is greater than 0.75 and the clue contains “pair”".

    names: dataset.column -> what people call it ("the clue"); a column without one keeps its own name.
    """
    call = names if callable(names) else (lambda name: (names or {}).get(name, name))

    def said(part: Condition, inside: tuple[type, ...] = ()) -> str:
        words = sentence(part)
        return phrases["brackets"].format(part=words) if isinstance(part, inside) else words

    def sentence(part: Condition) -> str:
        match part:
            case And(parts):
                return phrases["and"].join(said(one, (Or,)) for one in parts)
            case Or(parts):
                return phrases["or"].join(said(one, (And,)) for one in parts)
            case Not(And() | Or() | Not() as inner):
                return phrases["not"].format(part=said(inner, (And, Or)))
            case Not(test):
                form = form_of(test)
                return filled(test, OPPOSITE.get(form, f"not {form}"))
            case test:
                return filled(test, form_of(test))

    def filled(test: Test, form: str) -> str:
        return phrases[form].format(column=call(test.column.name), value=value_of(test, phrases))

    return sentence(condition)


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
            return listed([shown(value, phrases) for value in test.values], phrases["comma"], phrases["last"])
        case Known():
            return ""


def shown(value: Value, phrases: Mapping[str, str]) -> str:
    return phrases["text"].format(text=value) if isinstance(value, str) else number(value)
