"""What disciplines know, as rules: one language for rules, slices and filters, shared by the engine
and the platform.

    condition = parse('recordings.seconds > 0.75 and clue contains "pair"', known)     # ConditionError says where and what to write
    str(condition)                       # recordings.seconds > 0.75 and clues.clue contains "pair"
    explain(condition, {"clues.clue": "the clue"})   # recordings.seconds is greater than 0.75 and the clue contains “pair”
    holds(condition, columns)            # True, False or None (unknown) for each sample, in plain Python
    to_sql(condition, quote, kinds)      # the same answers from DuckDB: ('(... AND ...)', [0.75, "pair"])

    rules = rules_of(study.spec.rules)   # RuleError
    check(rules[0], kinds, labels)       # what is wrong with it for these data, in words
    fires = fired(rules, columns_of(aligned), kinds_of(aligned))
    findings(rules, fires, aligned.label_order)      # never, always, contradictions

Light: pydantic; DuckDB where a pattern is checked or asked for (`matches`). `knowledge.report`
needs numpy, `fusion.training.knowledge_losses` torch.
"""

from fusion.knowledge.findings import Finding, columns_of, contradictions, findings, fired, kinds_of
from fusion.knowledge.language import (
    And,
    Column,
    Compare,
    Condition,
    ConditionError,
    Find,
    Known,
    Not,
    OneOf,
    Or,
    columns,
)
from fusion.knowledge.names import renamed, resolve
from fusion.knowledge.parser import parse
from fusion.knowledge.rules import Rule, RuleError, allowed, check, check_condition, rules_of
from fusion.knowledge.settings import Knowledge
from fusion.knowledge.sql import to_sql
from fusion.knowledge.values import holds
from fusion.knowledge.words import ENGLISH, explain

__all__ = [
    "ENGLISH",
    "And",
    "Column",
    "Compare",
    "Condition",
    "ConditionError",
    "Find",
    "Finding",
    "Knowledge",
    "Known",
    "Not",
    "OneOf",
    "Or",
    "Rule",
    "RuleError",
    "allowed",
    "check",
    "check_condition",
    "columns",
    "columns_of",
    "contradictions",
    "explain",
    "findings",
    "fired",
    "holds",
    "kinds_of",
    "parse",
    "renamed",
    "resolve",
    "rules_of",
    "to_sql",
]
