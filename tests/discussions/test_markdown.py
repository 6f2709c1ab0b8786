import pytest

from apps.discussions.markdown import parse, plain, render

PEOPLE = {"lin mei": 7, "lin": 8, "inês costa": 9}
LINKS = {("run", "31"): "/p/x/runs/31/", ("review", "7"): "/p/x/reviews/7/"}


def html(body: str) -> str:
    return str(render(parse(body, PEOPLE), PEOPLE, LINKS))


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[press](javascript:alert(1))",
        "![x](https://elsewhere.example/spy.png)",
        "<a href='javascript:alert(1)'>a</a>",
        "run 31<svg/onload=alert(1)>",
    ],
)
def test_nothing_that_runs_or_loads_comes_through(body: str) -> None:
    cleaned = html(body)
    assert not any(bad in cleaned for bad in ("<script", "<img", "<svg", 'href="javascript'))


def test_a_short_reference_becomes_a_link_and_the_rest_stays() -> None:
    assert html("See Run 31, then review 7.") == (
        '<p>See <a href="/p/x/runs/31/" class="ref" rel="nofollow noopener noreferrer">Run '
        "31</a>, then "
        '<a href="/p/x/reviews/7/" class="ref" rel="nofollow noopener noreferrer">review '
        "7</a>.</p>\n"
    )


def test_a_reference_to_nothing_stays_text() -> None:
    assert html("We run 3 seeds.") == "<p>We run 3 seeds.</p>\n"


@pytest.mark.parametrize("body", ["`run 31`", "```\nrun 31\n```", "[run 31](https://example.org)"])
def test_code_and_links_are_left_alone(body: str) -> None:
    assert "/p/x/runs/31/" not in html(body)


def test_the_longest_name_is_the_one_meant() -> None:
    assert parse("@Lin Mei, look", PEOPLE).mentioned == {7}
    assert parse("@lin: look, and @Inês Costa", PEOPLE).mentioned == {8, 9}


@pytest.mark.parametrize("body", ["lin@lin.example", "@linda", "`@lin`"])
def test_an_address_another_name_or_code_mentions_nobody(body: str) -> None:
    assert parse(body, PEOPLE).mentioned == set()


def test_a_heading_does_not_break_the_outline_of_the_page() -> None:
    assert "<h1" not in html("# Big\n\nBig\n===")


def test_an_excerpt_is_words_without_marks() -> None:
    assert (
        plain(
            "**S3** is *weak*.\n\n- see `D00378`\n- and "
            "[this](https://example.org)\n\n```\ncode\n```"
        )
        == "S3 is weak. see D00378 and this code"
    )
