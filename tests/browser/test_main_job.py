"""The main job, by three people at three browsers: from an empty project to a model in Staging."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, PATIENCE_MS, Installation, Visitor
from tests.browser.looks import DENSE, check
from tests.browser.studies import Study, cut, demo_study, media, study_of_task

TRAINING_MS = 150_000
QUESTION = "Does joining the readings beat the best one alone?"
REMEMBER = """() => {
    const said = new Set(), region = document.getElementById("run-live");
    const look = () => { said.add(document.querySelector("#run-live .card").innerText); document.body.dataset.said = said.size; };
    new MutationObserver(look).observe(region, {childList: true, subtree: true, characterData: true, attributes: true});
}"""
"""Counts what the page has said of the run. A page that loads itself anew begins at nothing."""

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Job:
    """The project as it grows, and who is at work in it."""

    base: str
    owner: Visitor
    study: Study
    speech: Visitor | None = None
    language: Visitor | None = None

    def open(self, visitor: Visitor, path: str = "") -> None:
        visitor.open(self.base + path)


def create_project(owner: Visitor, name: str, disciplines: dict[str, str]) -> str:
    page = owner.open("/projects/new/")
    page.fill("#id_name", name)
    page.fill("#id_goal", "Read a digit from what is there of its readings.")
    for place, (code, title) in enumerate(disciplines.items()):
        page.fill(f"#id_disciplines-{place}-name", title)
        page.fill(f"#id_disciplines-{place}-code", code)
    owner.press("Create the project")
    expect(owner.heading()).to_have_text(name)
    return page.url.removeprefix(owner.address)


def invite(job: Job, email: str, role: str, discipline: str) -> str:
    """The link that the owner copies."""
    job.open(job.owner, "members/")
    page = job.owner.page
    page.fill("#id_email", email)
    page.select_option("#id_role", role)
    page.locator("#invite").get_by_label(discipline).check()
    job.owner.press("Make the link")
    row = page.locator(".rows__item", has_text=email)
    row.get_by_role("button", name="Copy").click()
    expect(row.get_by_text("Copied")).to_be_visible()
    return page.evaluate("navigator.clipboard.readText()")


def join(visitor: Visitor, link: str, name: str, project: str) -> Visitor:
    visitor.page.goto(link)
    expect(visitor.heading()).to_contain_text(project)
    check(visitor.page)
    visitor.page.fill("#id_name", name)
    visitor.page.fill("#id_password", PASSWORD)
    visitor.press("Make my account and join")
    expect(visitor.heading()).to_have_text(project)
    return visitor


def upload(job: Job, what: str, files: list[Path]) -> None:
    """As far as the report of the check."""
    owner = job.owner
    job.open(owner, "data/new/" if what == "study" else f"data/new/?dataset={what}")
    if what == "study":
        owner.page.get_by_text("A study folder", exact=True).click()
    owner.press("Continue")
    check(owner.page)
    owner.page.set_input_files("#files", files)
    owner.press("Upload and check")
    expect(owner.heading()).to_have_text("What was found")
    check(owner.page)


def import_study(job: Job) -> None:
    upload(job, "study", [job.study.zip])
    page = job.owner.page
    for path, row in job.study.broken.items():
        line = page.get_by_role("row").filter(has_text=path)
        expect(line.get_by_role("cell", name=str(row), exact=True)).to_be_visible()
    job.owner.follow("Continue")
    check(page)
    page.get_by_role("button", name=re.compile("^Import [0-9,]+ samples$")).click()
    expect(job.owner.heading()).to_have_text("Imported")


def add_a_version(job: Job, dataset: str, table: str) -> None:
    """The whole table again, with the images that were broken repaired."""
    folder, page = job.study.folder, job.owner.page
    whole = next(
        path
        for path in sorted(folder.glob("images/*.png"))
        if str(path.relative_to(folder)) not in job.study.broken
    )
    for path in job.study.broken:
        if path.startswith("images/"):
            (folder / path).write_bytes(whole.read_bytes())
    paths = [str(path.relative_to(folder)) for path in folder.glob("images/*.png")]
    upload(job, dataset, [folder / table, media(folder, "images.zip", paths)])
    expect(page.locator("main")).not_to_contain_text("Set aside")
    job.owner.follow("Continue")
    check(page)
    job.owner.press("Continue")
    page.get_by_label("What changed").fill("The broken images were scanned again.")
    page.get_by_role("button", name=re.compile("^Import")).click()
    expect(job.owner.heading()).to_have_text("Imported")
    expect(page.locator("main")).to_contain_text("v2")
    check(page)


def look_at_samples(job: Job, dataset: str, facet: tuple[str, str]) -> str:
    """Filters, opens the first sample that matches, and names a colleague in a comment; returns the
    sample's key.
    """
    job.open(job.owner, f"data/{dataset}/")
    page = job.owner.page
    before = page.locator(".results h2").inner_text()
    page.locator(f'input[name="{facet[0]}"][value="{facet[1]}"]').check()
    page.wait_for_url(re.compile(rf"[?&]{re.escape(facet[0])}={facet[1]}"))
    expect(page.locator(".results h2")).not_to_have_text(before)
    page.locator(".sample a").first.click()
    expect(page.locator(".sample-page")).to_be_visible()
    key = job.owner.heading().inner_text()
    field = page.get_by_label("Comment, @ to name someone")
    field.click()
    field.press_sequentially("Hard to read, @spe")
    page.get_by_role("option").first.wait_for()
    field.press("Enter")
    field.press_sequentially(" what do you hear?")
    job.owner.press("Comment", "#discussion")
    expect(page.locator("#discussion .remark")).to_contain_text("what do you hear?")
    return key


def check_alignment(job: Job) -> None:
    job.open(job.owner, "alignments/1/")
    page = job.owner.page
    freeze = page.get_by_role("button", name="Freeze")
    if freeze.count():
        freeze.click()
    expect(page.locator("main .head .pill").first).to_have_text("Frozen")


def start_run(job: Job) -> None:
    """The quick recipe with one thing changed, from the alignment's own page."""
    page = job.owner.page
    job.owner.follow("Start a run")
    page.get_by_label("Question this run answers").fill(QUESTION)
    page.get_by_text("Quick check", exact=True).click()
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("0")
    page.get_by_role("heading", name="Advanced").click()
    page.get_by_label("Epochs at most").fill("6")
    page.get_by_label("Patience, in epochs").fill("6")
    job.owner.press("Start run")
    expect(page.locator(".head .lead")).to_have_text(QUESTION)


def watch(job: Job) -> None:
    """What the page says of the training changes while the page stays, and in the end it shows the
    result.
    """
    page = job.owner.page
    state = page.locator(".head .pill").first
    expect(state).to_have_text("Running", timeout=TRAINING_MS)
    page.evaluate(REMEMBER)
    check(page)
    expect(page.locator("body")).to_have_attribute(
        "data-said", re.compile("^([2-9]|[0-9]{2,})$"), timeout=TRAINING_MS
    )
    expect(state).to_have_text("Finished", timeout=TRAINING_MS)
    expect(page.locator("#plot-contributions")).to_be_visible()


def comment_on_the_run(job: Job) -> None:
    page = job.owner.page
    page.get_by_label("Comment, @ to name someone").fill("The gain is what we hoped for.")
    job.owner.press("Comment", "#discussion")
    expect(page.locator("#discussion .remark")).to_contain_text("what we hoped for")


def register(job: Job) -> None:
    page = job.owner.page
    page.locator("main .head").get_by_role("link", name=re.compile("Register")).click()
    page.fill("#id_name", "Reader")
    page.fill("#id_description", "Tells which digit it is.")
    page.fill("#id_meant_for", "Trying it out.")
    job.owner.press("Register")
    expect(job.owner.heading()).to_have_text("Reader")


def propose(job: Job, reviewers: dict[str, str]) -> None:
    """Only the disciplines of the two colleagues are asked."""
    page = job.owner.page
    page.locator("main .head").get_by_role("link", name=re.compile("Propose|Staging")).click()
    check(page)
    page.get_by_label("Why").fill("It is better than each reading alone.")
    for row in page.locator("main form .rows > li").all():
        discipline = row.locator("label b").inner_text()
        row.get_by_role("checkbox").set_checked(discipline in reviewers)
        if discipline in reviewers:
            row.locator("select").select_option(label=reviewers[discipline])
    job.owner.press("Ask for the review")
    expect(job.owner.heading()).to_contain_text("Promote Reader")


def decide(job: Job, reviewer: Visitor, summary: str) -> None:
    page = reviewer.open("/")
    reviewer.follow("Review")
    page.get_by_text("Approve", exact=True).click()
    page.get_by_label("Summary").fill(summary)
    reviewer.press("Submit review")
    expect(page.locator("main")).to_contain_text(summary)


def promote(job: Job) -> None:
    job.open(job.owner, "reviews/1/")
    job.owner.press("Promote to Staging")
    job.open(job.owner, "models/")
    expect(job.owner.page.locator("main")).to_contain_text("Staging")
    expect(job.owner.page.locator("main")).to_contain_text("Reader")


def told(job: Job, key: str) -> None:
    """The colleague finds the mention and the review; the activity tells what happened."""
    assert job.speech
    page = job.speech.open("/inbox/?show=all")
    expect(page.locator("main")).to_contain_text(key)
    expect(page.locator("main")).to_contain_text("Reader")
    job.open(job.speech, "activity/")
    for words in (key, "Reader", "run 1", "review 1"):
        expect(page.locator("main")).to_contain_text(re.compile(re.escape(words), re.IGNORECASE))


@dataclass
class Story:
    """What differs between the studies."""

    name: str
    disciplines: dict[str, str]
    dataset: str
    table: str
    facet: tuple[str, str]

    @property
    def colleagues(self) -> list[tuple[str, str]]:
        """Who joins for the second and the third discipline."""
        return list(
            zip(("Spencer Ear", "Lana Word"), list(self.disciplines.values())[1:3], strict=True)
        )


def main_job(
    story: Story, study: Study, visit: Callable[..., Visitor], installation: Installation
) -> None:
    tag = story.name.split()[0].lower()
    owner = visit(permissions=["clipboard-read", "clipboard-write"])
    owner.sign_in(installation.account(f"{tag}.owner Eyes"))
    job = Job(create_project(owner, story.name, story.disciplines), owner, study)
    people = []
    for (name, discipline), role in zip(story.colleagues, ("maintainer", "reviewer"), strict=True):
        link = invite(job, f"{name.split()[0].lower()}.{tag}@example.org", role, discipline)
        people.append(join(visit(), link, name, story.name))
    job.speech, job.language = people
    import_study(job)
    key = look_at_samples(job, story.dataset, story.facet)
    check_alignment(job)
    start_run(job)
    watch(job)
    comment_on_the_run(job)
    register(job)
    propose(job, {discipline: name for name, discipline in story.colleagues})
    decide(job, job.speech, "Good enough for what is hard to hear.")
    decide(job, job.language, "The words are used as we meant them.")
    promote(job)
    told(job, key)
    add_a_version(job, story.dataset, story.table)


LEDGER = Story(
    "Ledger of ours",
    {"VI": "Vision", "SP": "Speech", "LI": "Language"},
    "handwriting",
    "vision_team.csv",
    ("handwriting.quality", "stained"),
)
DIGITS = Story(
    "Digits of ours",
    {"VI": "Vision", "SP": "Speech", "LI": "Linguistics", "ML": "Machine learning"},
    "handwriting",
    "image_team.csv",
    ("handwriting.legibility", "poor"),
)


@pytest.mark.timeout(400)
def test_three_disciplines_bring_data_train_judge_and_promote_a_model(
    visit: Callable[..., Visitor], installation: Installation, tmp_path: Path
) -> None:
    main_job(LEDGER, demo_study(installation.study, tmp_path), visit, installation)


@pytest.mark.slow
@pytest.mark.study
@pytest.mark.timeout(400)
def test_the_same_on_a_real_study_with_its_broken_files(
    visit: Callable[..., Visitor], installation: Installation, spoken_digits: Path, tmp_path: Path
) -> None:
    main_job(DIGITS, cut(spoken_digits, tmp_path, 150), visit, installation)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("task", "metric"), [("regression", "R²"), ("multi-label", "Macro-F1")])
def test_a_study_that_asks_for_numbers_or_sets_goes_the_same_way(
    visit: Callable[..., Visitor],
    installation: Installation,
    tmp_path: Path,
    task: str,
    metric: str,
) -> None:
    owner = visit()
    owner.sign_in(installation.account(f"{task}.owner Leaf"))
    job = Job(
        create_project(owner, f"Plants, {task}", {"SH": "Shoots", "RO": "Roots"}),
        owner,
        study_of_task(tmp_path, task),
    )
    import_study(job)
    check_alignment(job)
    start_run(job)
    watch(job)
    page = owner.page
    check(page, most_nodes=DENSE["run"])
    expect(page.locator(".tiles")).to_contain_text(metric)
    expect(page.locator(".tiles")).to_contain_text(
        re.compile("clearly better|no clear difference|clearly worse")
    )
    owner.follow("Map")
    check(page, most_nodes=DENSE["map"])
    page.go_back()
    register(job)
    expect(page.locator("main")).to_contain_text(metric)


def test_a_telephone_in_chinese_and_dark_leads_to_a_run(visit: Callable[..., Visitor]) -> None:
    visitor = visit(width=390, theme="dark", language="zh-CN", has_touch=True)
    page = visitor.open("/accounts/login/")
    page.locator("button.door__tile", has_text="Lin Mei").tap()
    expect(visitor.heading()).to_have_text("我的工作")
    page.get_by_role("link", name="Ledger digits").first.tap()
    page.get_by_role("button", name="菜单").tap()
    page.locator("#rail").get_by_role("link", name="运行").tap()
    page.locator("main").get_by_role("link", name="1", exact=True).first.tap()
    expect(page.locator("#plot-contributions")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 19, 20)"
