"""Knowledge of disciplines as rules: one language for rules and slices, shared by the engine and
the platform.

    condition = parse('recordings.seconds > 0.75 and clue contains "pair"', known)  # ConditionError
    str(condition)      # recordings.seconds > 0.75 and clues.clue contains "pair"
    explain(condition, {"clues.clue": "the clue"})
                        # recordings.seconds is greater than 0.75 and the clue contains “pair”
    holds(condition, columns)  # True, False or None (unknown) for each sample

    rules = rules_of(study.spec.rules)   # RuleError
    check_rule(rules[0], kinds, labels)  # its problems on these data, in words
    fires = fired(rules, rule_columns(aligned), rule_column_kinds(aligned))
    contradictions(rules, fires, aligned.label_order)

Importing it loads pydantic only. Lark comes with the first condition, DuckDB with the first
pattern (`matches`).
"""

from fusion.knowledge.column_names import renamed, resolve
from fusion.knowledge.conditions import ConditionError, columns
from fusion.knowledge.evaluator import holds
from fusion.knowledge.explanation import ENGLISH, explain
from fusion.knowledge.firing import contradictions, fired
from fusion.knowledge.parser import parse
from fusion.knowledge.recipe_section import Knowledge
from fusion.knowledge.rules import (
    Rule,
    RuleError,
    allowed_labels,
    check_condition,
    check_rule,
    rules_of,
)

__all__ = [
    "ENGLISH",
    "ConditionError",
    "Knowledge",
    "Rule",
    "RuleError",
    "allowed_labels",
    "check_condition",
    "check_rule",
    "columns",
    "contradictions",
    "explain",
    "fired",
    "holds",
    "parse",
    "renamed",
    "resolve",
    "rules_of",
]
