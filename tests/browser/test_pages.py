"""Every page, each in one variant of theme, width, language and role, so that all of them occur;
the whole matrix is `slow`.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from tests.browser.looks import DENSE, MOST_NODES, check, settle

HOME = "/p/ledger-digits/"
SAMPLE = f"{HOME}samples/L00001/"
MODEL = f"{HOME}models/ledger-reader/"
PAGES = {
    "your work": "/",
    "inbox": "/inbox/?show=all",
    "search": "/search/?q=ledger",
    "help": "/help/",
    "encoders": "/encoders/",
    "profile": "/me/",
    "tokens": "/me/tokens/",
    "password": "/accounts/password/change/",
    "new project": "/projects/new/",
    "overview": HOME,
    "members": f"{HOME}members/",
    "disciplines": f"{HOME}disciplines/",
    "activity": f"{HOME}activity/",
    "data sets": f"{HOME}data/",
    "upload": f"{HOME}data/new/",
    "data set": f"{HOME}data/handwriting/",
    "data set table": f"{HOME}data/handwriting/?view=table",
    "agreement": f"{HOME}data/labels/agreement/",
    "columns": f"{HOME}data/balance/columns/",
    "check report": f"{HOME}data/dictation/check/",
    "versions": f"{HOME}data/remarks/versions/",
    "samples": f"{HOME}samples/",
    "sample": SAMPLE,
    "alignments": f"{HOME}alignments/",
    "alignment": f"{HOME}alignments/1/",
    "new alignment": f"{HOME}alignments/new/",
    "runs": f"{HOME}runs/",
    "new run": f"{HOME}runs/new/",
    "compare runs": f"{HOME}runs/compare/?run=1",
    "run": f"{HOME}runs/1/",
    "curves": f"{HOME}runs/1/curves/",
    "predictions": f"{HOME}runs/1/predictions/",
    "map": f"{HOME}runs/1/map/?mark=eight&given=image&find=speech",
    "run settings": f"{HOME}runs/1/settings/",
    "log": f"{HOME}runs/1/log/",
    "run discussion": f"{HOME}runs/1/discussion/",
    "reviews": f"{HOME}reviews/",
    "review": f"{HOME}reviews/1/",
    "changes": f"{HOME}reviews/1/changes/",
    "evidence": f"{HOME}reviews/1/evidence/",
    "conversation": f"{HOME}reviews/1/conversation/",
    "models": f"{HOME}models/",
    "model": MODEL,
    "model version": f"{MODEL}1/",
}
OWNERS = {
    "settings": f"{HOME}settings/",
    "edit the card": f"{MODEL}1/edit/",
    "member": f"{HOME}members/2/",
    "discipline": f"{HOME}disciplines/SP/",
    "register a run": f"{HOME}models/new/",
    "change a data set": f"{HOME}data/handwriting/change/",
    "gallery": "/ui/gallery/",
}
PEOPLE = ("Lin Mei", "Piet de Jong", "Inês Costa")
VARIANTS = list(itertools.product(("light", "dark"), (1440, 390), ("en-GB", "zh-CN")))
ROTATED = [(name, *VARIANTS[n * 3 % len(VARIANTS)], PEOPLE[n % 3]) for n, name in enumerate(PAGES)]
ROTATED += [(name, *VARIANTS[n * 5 % len(VARIANTS)], "Inês Costa") for n, name in enumerate(OWNERS)]
MATRIX = [(name, *variant, "Inês Costa") for name in PAGES | OWNERS for variant in VARIANTS]
LANGUAGES = {"en-GB": "en", "zh-CN": "zh-hans"}


def look(visit: Callable, name: str, theme: str, width: int, language: str, person: str) -> None:
    page = visit(person, width=width, theme=theme, language=language).open((PAGES | OWNERS)[name])
    check(page, LANGUAGES[language], DENSE.get(name, MOST_NODES))


@pytest.mark.parametrize(("name", "theme", "width", "language", "person"), ROTATED)
def test_a_page_is_accessible_and_fits(
    visit: Callable, name: str, theme: str, width: int, language: str, person: str
) -> None:
    look(visit, name, theme, width, language, person)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "theme", "width", "language", "person"), MATRIX)
def test_a_page_is_accessible_and_fits_in_every_variant(
    visit: Callable, name: str, theme: str, width: int, language: str, person: str
) -> None:
    look(visit, name, theme, width, language, person)


def test_every_variant_and_role_occurs() -> None:
    seen = {variant[1:4] for variant in ROTATED}
    assert seen == set(VARIANTS)
    assert {variant[4] for variant in ROTATED} == set(PEOPLE)


@pytest.mark.parametrize(("theme", "width", "language"), VARIANTS[::3])
def test_the_door_is_accessible(visit: Callable, theme: str, width: int, language: str) -> None:
    check(
        visit(theme=theme, width=width, language=language).open("/accounts/login/"),
        LANGUAGES[language],
    )


@pytest.mark.parametrize("path", [HOME, f"{HOME}samples/", f"{HOME}runs/1/", f"{HOME}reviews/1/"])
def test_nothing_sticks_out_of_a_narrow_window(visit: Callable, path: str) -> None:
    page = visit("Lin Mei", width=320).open(path)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


ELSEWHERE = {
    "walked by the main job": {
        "projects:join", "datasets:upload", "datasets:upload_add", "datasets:upload_check", "datasets:upload_columns", "datasets:upload_about",
        "datasets:upload_done", "reviews:new",
    },
    "forms that lead back to a page": {
        "accounts:demo_sign_in", "accounts:revoke_token", "set_language", "account_logout", "projects:remove_member", "projects:revoke",
        "datasets:upload_remove", "datasets:upload_back", "datasets:upload_cancel", "datasets:delete", "datasets:restore",
        "experiments:stop", "experiments:again", "experiments:rename", "experiments:delete", "experiments:restore",
        "reviews:decide", "reviews:ask_again", "reviews:promote", "reviews:withdraw",
        "discussions:done", "discussions:undo", "discussions:reply", "discussions:resolve", "discussions:reopen",
        "discussions:delete", "discussions:restore",
    },
    "go on to another page": {"discussions:open", "discussions:comment"},
    "files, data and the stream": {
        "live", "datasets:media", "experiments:recipe", "experiments:map_csv", "registry:card_markdown", "registry:card_json", "registry:download", "discussions:members",
    },
    "parts of other pages, and one comment to edit": {"discussions:discussion", "discussions:change"},
}  # fmt: skip
"""Routes without a line in the tables above, and why."""


def routes(resolver: URLResolver, space: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            if one.name:
                yield f"{space}{one.name}"
        elif one.namespace != "api" and "allauth" not in str(one.urlconf_name):
            yield from routes(one, f"{space}{one.namespace}:" if one.namespace else space)


def test_the_tables_name_every_page_there_is() -> None:
    here = {resolve(path.partition("?")[0]).view_name for path in (PAGES | OWNERS).values()}
    elsewhere = set.union(*ELSEWHERE.values())
    assert here & elsewhere == set()
    assert set(routes(get_resolver())) - here - elsewhere == set()
    assert elsewhere - set(routes(get_resolver())) - {"account_logout"} == set()
