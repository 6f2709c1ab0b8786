"""The rule language: texts it reads and refuses, values of conditions, rules over data."""

import subprocess
import sys
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.data.alignment import Aligned, Cell, Modality
from fusion.data.rule_columns import rule_column_kinds, rule_columns
from fusion.knowledge import (
    ConditionError,
    Rule,
    RuleError,
    allowed_labels,
    check_condition,
    check_rule,
    columns,
    contradictions,
    explain,
    fired,
    holds,
    parse,
    rules_of,
)
from fusion.knowledge.conditions import (
    COMPARISONS,
    And,
    ColumnRef,
    Compare,
    Condition,
    Find,
    Not,
    OneOf,
    Or,
    Presence,
    joined,
)
from fusion.knowledge.hierarchy import HierarchyError, leaf_sets

KNOWN = ["recordings.seconds", "recordings.speaker", "samples.speaker", "clues.clue"]
KINDS = {
    "t.number": "number",
    "t.text": "text",
    "t.tags": "tags",
    "t.time": "time",
    "t.code": "category",
}
DIGITS = ["zero", "one", "two", "seven"]


def problem(text: str, known: list[str] | None = None) -> str:
    with pytest.raises(ConditionError) as error:
        parse(text, known)
    return str(error.value)


def test_a_condition_is_written_in_one_form() -> None:
    condition = parse(
        "(seconds>=.75 AND clue Contains 'a \"pair\"') or NOT samples.speaker in ['S1',“S2”]", KNOWN
    )
    assert str(condition) == (
        'recordings.seconds >= 0.75 and clues.clue contains "a ""pair"""'
        ' or not samples.speaker in ["S1", "S2"]'
    )
    assert columns(condition) == ["recordings.seconds", "clues.clue", "samples.speaker"]


def test_a_condition_is_said_in_plain_english() -> None:
    names = {"clues.clue": "the clue"}
    sentence = explain(parse('recordings.seconds > 0.75 and clues.clue contains "pair"'), names)
    assert sentence == "recordings.seconds is greater than 0.75 and the clue contains “pair”"
    condition = (
        "(a.b in [1, 2, 3] or a.c is missing) and not (a.d <= 4) and not a.e starts with 'x'"
    )
    assert explain(parse(condition)) == (
        "(a.b is one of 1, 2 or 3 or a.c is missing) and a.d is greater than 4"
        " and a.e does not start with “x”"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recordings.s >", "column 15: expected a value after >, found end of rule"),
        (
            "a.b > good",
            'column 7: expected a value after >, found good; a text stands in quotes: "good"',
        ),
        ("a.b", "column 4: expected a comparison after a.b ("),
        ("a.b = 1 and", "column 12: expected a column, found end of rule"),
        ("a.b = 1 c.d = 2", "column 9: expected and, or, or the end of the rule, found c.d"),
        ("(a.b = 1", "column 9: expected ) after the condition in brackets, found end of rule"),
        ("a.b = 'x", "column 7: what begins with ' here has no closing '"),
        ("a.b = ''", "column 7: an empty cell is a missing one; write is missing"),
        ("a.b in [1, 'x']", "column 9: a list holds either numbers or texts"),
        ("a.b is good", "column 8: expected missing or present after is, found good"),
        ("a.b = 1 && c.d = 2", "column 9: & has no meaning here; write and"),
        ("a.b > 1e999", "column 7: this number is too large"),
        ("a.b =\n  good", "line 2, column 3: expected a value"),
        ("a.b matches '[x'", "column 13: this pattern cannot be used: missing ]"),
        ("a.b matches '(?=x)'", "column 13: this pattern cannot be used"),
        ("", "the condition is empty"),
    ],
)
def test_a_fault_is_named_with_its_place_and_the_cure(text: str, words: str) -> None:
    assert problem(text).startswith(words)


def test_an_unknown_column_gets_the_nearest_names() -> None:
    assert problem("clue = 'a' and recordings.second > 1", KNOWN) == (
        "column 16: there is no column recordings.second; did you mean recordings.seconds?"
    )
    assert "write recordings.speaker or samples.speaker" in problem("speaker = 'S1'", KNOWN)


def test_nesting_and_length_have_a_bound() -> None:
    assert "nested" in problem("(" * 2000 + "a.b = 1" + ")" * 1900)
    assert "nested" in problem("not " * 900 + "a.b = 1")
    assert "characters long" in problem("a.b = 1 or " * 1000 + "a.b = 1")
    assert len(parse(" or ".join(["a.b = 1"] * 300)).parts) == 300


def test_a_greedy_pattern_takes_no_time() -> None:
    assert holds(parse("t.text matches '^(a+)+$'"), {"t.text": ["a" * 50_000 + "b"]}) == [False]


def test_a_test_on_a_missing_value_is_unknown_unless_it_asks_for_that() -> None:
    table = {"t.number": [1.0, None, float("nan")], "t.text": ["Pair", None, "x"]}
    assert holds(parse("t.number > 0"), table) == [True, None, None]
    assert holds(parse("not t.number > 0"), table) == [False, None, None]
    assert holds(parse("t.number is missing"), table) == [False, True, True]
    assert holds(parse("t.number > 0 or t.text = 'x'"), table) == [True, None, True]
    assert holds(parse("t.text contains 'pair'"), table) == [True, None, False]
    assert holds(parse("text contains 'pair'"), table) == [True, None, False]


def test_codes_that_are_written_as_text_can_be_compared_with_numbers() -> None:
    assert holds(parse("t.code >= 7"), {"t.code": ["07", "3", "x", None]}) == [
        True,
        False,
        None,
        None,
    ]


def test_points_in_time_are_compared_as_such() -> None:
    table = {"t.time": ["2025-03-31", "2025-03-31 14:30", "2025-04-01T00:30:00+02:00", "soon"]}
    assert holds(parse("t.time > '2025-03-31'"), table, {"t.time": "time"}) == [
        False,
        True,
        True,
        None,
    ]
    assert holds(parse("t.time < '2025-04-01'"), table, {"t.time": "time"}) == [
        True,
        True,
        True,
        None,
    ]


LETTERS = st.text(st.sampled_from("abAB \"'`%_\\éÉßİΣσς数0.-"), max_size=6)
WORDS = st.one_of(
    LETTERS,
    st.text(
        st.characters(codec="utf-8", exclude_characters="\0", max_codepoint=0x24FF), max_size=4
    ),
)
NUMBERS = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.sampled_from([1e20, 5e-324, 1e300])
)
DIGIT_TEXTS = st.one_of(
    NUMBERS.map(repr), st.text(st.sampled_from("0123456789.eE+-_ "), max_size=6)
)
TIMES = st.one_of(
    st.dates().map(lambda day: day.isoformat()),
    st.datetimes().map(lambda moment: moment.isoformat(sep=" ")),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.sampled_from(
        [
            "2025-02-30",
            "2025-01-01",
            "2025-01-01 00:00",
            "2025-1-1",
            "epoch",
            "infinity",
            "2025-01-01T24:00",
        ]
    ),
)
CELLS = {
    "t.number": st.one_of(NUMBERS, st.just(float("nan"))),
    "t.text": WORDS,
    "t.tags": st.lists(WORDS, max_size=3),
    "t.time": TIMES,
    "t.code": DIGIT_TEXTS,
}
NON_EMPTY = WORDS.filter(bool)
LITERALS = {
    "t.number": NUMBERS,
    "t.text": NON_EMPTY,
    "t.tags": NON_EMPTY,
    "t.time": TIMES,
    "t.code": NUMBERS,
}
ANY_LITERAL = st.one_of(NUMBERS, NON_EMPTY, DIGIT_TEXTS.filter(bool), TIMES)
WORD_PIECES = ["a.b", "'x'", "and", "or", "not", "in", "is", "missing", "starts with"]
PIECES = st.sampled_from([*WORD_PIECES, *'1=<()[],"'])
PATTERNS = st.sampled_from(["a", "^a", "(?i)b+$", r"\d", "[^a-z]", "é|ß", "."])


@st.composite
def single_tests(draw: st.DrawFn) -> object:
    name = draw(st.sampled_from(sorted(KINDS)))
    column, literals = ColumnRef(name), st.one_of(LITERALS[name], ANY_LITERAL)
    form = draw(st.sampled_from(["compare", "find", "matches", "in", "known"]))
    if form == "compare":
        return Compare(column, draw(st.sampled_from(COMPARISONS)), draw(literals))
    if form == "in":
        kind = draw(st.sampled_from([NUMBERS, LITERALS[name]]))
        return OneOf(column, tuple(dict.fromkeys(draw(st.lists(kind, min_size=1, max_size=3)))))
    if form == "known":
        return Presence(column, draw(st.booleans()))
    if form == "matches":
        return Find(column, "matches", draw(PATTERNS))
    return Find(column, draw(st.sampled_from(["contains", "starts with"])), draw(NON_EMPTY))


def grown(inner: st.SearchStrategy) -> st.SearchStrategy:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        inner.map(Not), several.map(lambda p: joined(And, p)), several.map(lambda p: joined(Or, p))
    )


CONDITIONS = st.recursive(single_tests(), grown, max_leaves=5)
TABLES = st.integers(1, 5).flatmap(
    lambda n: st.fixed_dictionaries(
        {name: st.lists(st.none() | cell, min_size=n, max_size=n) for name, cell in CELLS.items()}
    )
)


@settings(max_examples=120)
@given(CONDITIONS)
def test_the_canonical_form_is_read_back_as_the_same_condition(condition: object) -> None:
    assert parse(str(condition)) == condition
    assert explain(condition)


@settings(max_examples=100)
@given(condition=CONDITIONS, other=CONDITIONS, table=TABLES)
def test_not_and_or_follow_the_laws_of_three_valued_logic(
    condition: Condition, other: Condition, table: dict[str, list]
) -> None:
    truths = holds(condition, table, KINDS)
    assert len(truths) == len(table["t.number"])
    assert set(truths) <= {True, False, None}
    assert holds(Not(Not(condition)), table, KINDS) == truths
    neither = Not(joined(Or, [condition, other]))
    both_not = joined(And, [Not(condition), Not(other)])
    assert holds(neither, table, KINDS) == holds(both_not, table, KINDS)


@settings(max_examples=100)
@given(condition=CONDITIONS, table=TABLES)
def test_a_sample_is_judged_by_its_own_values_alone(
    condition: Condition, table: dict[str, list]
) -> None:
    rows = zip(*table.values())
    alone = [holds(condition, {n: [v] for n, v in zip(table, row)}, KINDS)[0] for row in rows]
    assert holds(condition, table, KINDS) == alone


@pytest.mark.parametrize(
    ("condition", "values", "truths"),
    [
        (
            "x < 2",
            [1, True, "1", "1e0", " 1", "1_0", "nan", "1e999"],
            [1, None, 1, 1, None, None, None, None],
        ),
        ("x != 2", [2, "2.0", "two", 3], [0, 0, None, 1]),
        ("x in [1, 2]", [1.0, "2", "x", None], [1, 1, None, None]),
        ("x in ['a', 'b']", ["a", "A", 1, ["b", "c"]], [1, 0, None, 1]),
        ("x < 'b'", ["a", "B", "é", "b", 1], [1, 1, 0, 0, None]),
        ("x contains 'pair'", ["a Pair", "PAIRS", "pa ir", 5, ""], [1, 1, 0, None, 0]),
        ("x starts with 'pa'", ["Pair", "a pair", ["x", "PAIR"], []], [1, 0, 1, 0]),
        ("x contains 'σ'", ["ΟΔΟΣ", "ς", "s"], [1, 0, 0]),
        ("x contains 'istanbul'", ["İSTANBUL", "ıstanbul"], [1, 0]),
        ("x contains 'strasse'", ["straße", "STRASSE"], [0, 1]),
        ("x contains 'red'", [["Red", "x"], ["redder"], []], [1, 0, 0]),
        ("x = 'red'", [["red"], ["Red"], []], [1, 0, 0]),
        ("x != 'red'", [["red", "x"], ["x"], [], None], [0, 1, 1, None]),
        ("x < 'red'", [["a"]], [None]),
        ("x = 1", [["1"]], [None]),
        (
            "x matches '^a.c$'",
            ["abc", "Abc", "a\nc", ["x", "abc"], [], 1, None],
            [1, 0, 0, 1, 0, None, None],
        ),
        ("x is present", [0, "", [], None, float("inf")], [1, 1, 1, 0, 0]),
    ],
)
def test_a_condition_on_plain_values(condition: str, values: list, truths: list) -> None:
    assert holds(parse(condition), {"x": values}) == truths


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        ("2025-03-31", True),
        ("2025-03-30 23:59:59.5", False),
        ("2025-03-31T01:00:00+02:00", False),
        (datetime(2025, 3, 31), True),
        ("2025-02-30", None),
        ("2025-3-31", None),
        ("2025-04-01T24:00", None),
        ("infinity", None),
        (2025, None),
        (None, None),
    ],
)
def test_a_point_in_time_is_one_that_iso_8601_writes(value: object, truth: bool | None) -> None:
    condition = parse("day >= '2025-03-31 00:00'")
    assert holds(condition, {"day": [value]}, {"day": "time"}) == [truth]


@settings(max_examples=120)
@given(st.text(max_size=30) | st.lists(PIECES, max_size=9).map(" ".join))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        condition = parse(text)
    except ConditionError as error:
        fault = error
    else:
        assert parse(str(condition)) == condition
        return
    assert fault.message
    assert 0 <= fault.position <= len(text) + 1


def rule(**changes: object) -> Rule:
    return Rule.parse(
        {"discipline": "SP", "when": "recordings.seconds > 0.75", "label_in": ["zero", "seven"]}
        | changes
    )


def test_a_rule_says_which_labels_are_left() -> None:
    assert allowed_labels(rule(), DIGITS) == [True, False, False, True]
    others = rule(label_in=None, label_not_in=["one"])
    assert allowed_labels(others, DIGITS) == [True, False, True, True]
    assert allowed_labels(rule(label_in=None, label=3), ["3", "4"]) == [True, False]
    assert (
        rule(weight=0.5).sentence()
        == "When recordings.seconds is greater than 0.75, the label is zero or seven (weight 0.5)."
    )
    assert rule(hard=True).strength == float("inf")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"label": "one"}, "both label and label_in"),
        ({"label_in": None}, "none of them"),
        ({"hard": True, "weight": 1}, "a hard rule has no weight"),
        ({"weight": 0}, "weight: "),
        ({"when": "recordings.seconds >"}, "when: column 21: expected a value after >"),
        ({"then": "one"}, "then: is not known here"),
    ],
)
def test_a_rule_that_cannot_be_used_says_why(changes: dict, words: str) -> None:
    with pytest.raises(RuleError) as error:
        rule(**changes)
    assert words in str(error.value)


def test_all_faulty_rules_of_a_study_are_named_at_once() -> None:
    good = {"discipline": "SP", "when": "a.b > 1", "label": "one"}
    with pytest.raises(RuleError) as error:
        rules_of([good, good | {"when": "a.b"}, good | {"discipline": "XX"}], ["SP", "VI"])
    assert [text.split(":")[0] for text in error.value.problems] == [
        "rule 2, when",
        "rule 3, discipline",
    ]


def test_a_rule_is_checked_against_columns_and_labels() -> None:
    kinds = {
        "recordings.seconds": "number",
        "recordings.file": "audio",
        "clues.clue": "text",
        "clues.tags": "tags",
    }
    assert check_rule(rule(), kinds, DIGITS, "samples.label") == []
    assert "did you mean seven?" in check_rule(rule(label_in=["sevn"]), kinds, DIGITS)[0]
    nothing_left = rule(label_in=None, label_not_in=DIGITS)
    assert "forbids every label" in check_rule(nothing_left, kinds, DIGITS)[0]
    assert "says nothing" in check_rule(rule(label_in=DIGITS), kinds, DIGITS)[0]
    problems = check_condition(
        "seconds = 'long' and file = 'x' and clue > 3 and tags < 'x' and samples.label = 'one'",
        kinds,
        "samples.label",
    )
    assert [text.split(": ", 1)[0] for text in problems] == [
        "column 1",
        "column 22",
        "column 37",
        "column 50",
        "column 65",
    ]
    assert "recordings.seconds holds numbers; write the number without quotes" in problems[0]
    assert "holds the label itself" in problems[4]
    assert check_condition("recordings.file is missing", kinds) == []


def test_hard_rules_that_leave_no_label_together_are_named() -> None:
    rules = rules_of(
        [
            {"name": "long", "when": "a.x > 1", "label_in": ["zero", "seven"], "hard": True},
            {"name": "red", "when": "a.y = 'red'", "label_not_in": ["zero", "seven"], "hard": True},
            {"name": "vague", "when": "a.x > 0", "label": "one"},
            {"name": "mute", "when": "a.y = 'blue'", "label": "one", "hard": True},
            {"name": "far", "when": "a.x > 2", "label_not_in": ["two"], "hard": True},
        ]
    )
    table = {"a.x": [0.5, 2, 3, 4], "a.y": ["red", "red", None, "red"]}
    [contradiction] = contradictions(rules, fired(rules, table), DIGITS)
    assert (contradiction.rules, contradiction.rows) == ((0, 1), (1, 3))
    assert str(contradiction) == (
        "long and red contradict each other on 2 samples: no label is left there"
    )


def test_a_rule_can_ask_for_a_file_that_is_missing() -> None:
    aligned = Aligned(
        keys=["a", "b"],
        labels=["one", "two"],
        modalities={"speech": Modality("audio", [Cell("0" * 64), None], ["recordings.file"])},
        extras={
            "clues.tags": [["x"], None],
            "visits.day": ["2025-01-01", None],
            "recordings.seconds": [0.5, None],
        },
    )
    assert rule_column_kinds(aligned) == {
        "clues.tags": "tags",
        "visits.day": "time",
        "recordings.seconds": "number",
        "recordings.file": "audio",
    }
    assert holds(parse("recordings.file is missing"), rule_columns(aligned)) == [False, True]


def test_a_hierarchy_gives_the_labels_under_each_concept() -> None:
    broader = {"cat": "mammal", "dog": "mammal", "mammal": "animal", "hen": "animal"}
    assert leaf_sets(broader, ["cat", "dog", "hen", "oak"]) == {
        "mammal": [True, True, False, False],
        "animal": [True, True, True, False],
    }
    with pytest.raises(HierarchyError, match="circle"):
        leaf_sets({"a": "b", "b": "a"}, ["a"])
    with pytest.raises(HierarchyError, match="no label under it"):
        leaf_sets({"a": "b"}, ["c"])


def test_the_language_loads_no_numpy_and_no_torch() -> None:
    code = """
import sys, fusion.knowledge
light = {"numpy", "torch", "pyarrow", "lark", "duckdb"} & sys.modules.keys()
fusion.knowledge.parse("a.b > 1")
print(light, {"numpy", "torch", "pyarrow", "duckdb"} & sys.modules.keys())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": "platform"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set() set()"


@pytest.mark.study
def test_the_rules_of_a_real_study_hold_where_they_say(spoken_digits: object) -> None:
    from fusion.data.study import Study

    seconds = Study.load(spoken_digits).tables()["recordings"].columns["seconds"].values
    truths = holds(parse("recordings.seconds > 0.75"), {"recordings.seconds": seconds})
    assert truths == [value > 0.75 for value in seconds]
    assert 0 < sum(truths) < len(truths)
