from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from apps.ui import figures
from apps.ui.components.numbers import relative, until


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.8421, ".842"),
        (1.0, "1.000"),
        (0.0, ".000"),
        (-0.014, "−.014"),
        (None, "–"),
        (float("nan"), "–"),
        (-0.0001, ".000"),
        (12.3456, "12.346"),
    ],
)
def test_a_score_has_no_leading_zero_and_a_true_minus(value: float | None, shown: str) -> None:
    assert figures.score(value) == shown


def test_a_difference_always_shows_its_sign() -> None:
    assert [figures.signed(value) for value in (0.021, -0.01, 0.0, 0.0002)] == [
        "+.021",
        "−.010",
        ".000",
        ".000",
    ]


def test_an_interval_is_words_in_text_and_a_dash_in_narrow_tables() -> None:
    assert figures.interval(0.713, 0.77) == ".713 to .770"
    assert figures.interval(0.713, 0.77, narrow=True) == ".713–.770"
    assert figures.interval(None, 0.77) == "–"


def test_a_difference_is_called_better_only_where_its_interval_leaves_zero_out() -> None:
    assert figures.verdict(0.02, 0.01, 0.03) == "better"
    assert figures.verdict(0.02, -0.01, 0.05) == "same"
    assert figures.verdict(-0.02, -0.03, -0.01) == "worse"
    assert figures.verdict(-0.02, -0.03, -0.01, lower_is_better=True) == "better"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (5, "just now"),
        (52 * 60, "52 min ago"),
        (2 * 3600, "2 h ago"),
        (30 * 3600, "yesterday"),
        (4 * 86400, "4 days ago"),
    ],
)
def test_an_age_is_said_in_the_largest_unit(seconds: int, shown: str) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with translation.override("en"):
        assert relative(now - timedelta(seconds=seconds), now) == shown


def test_time_to_go_is_a_range_and_says_when_nothing_is_known() -> None:
    assert until(1200, 1680) == "20 to 28 min left"
    assert until(40) == "40 s left"
    assert until(None) == "estimating"
