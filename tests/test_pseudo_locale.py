"""Every page in a language in which each message stands in brackets: Latin words outside of them
are hard-coded.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import LazySettings
from django.test import Client

from apps.reviews import services as reviews
from tests.made import make_study
from tests.registry import factory

ROOT = Path(__file__).parents[1]
SAID = ("aria-label", "title", "placeholder", "alt")
SILENT = {"script", "style", "code", "pre", "kbd", "template", "textarea", "svg"}
MADE_UP = "/p/digits/alignments/1/"
"""The factory's alignment names columns of no data set, so its own page has nothing to read."""
VOID = {
    "input",
    "img",
    "br",
    "link",
    "meta",
    "hr",
    "source",
    "col",
    "wbr",
    "path",
    "use",
    "circle",
    "line",
}
NAMES = "Consilience|F1|AUROC|ECE|CSV|KB|English|EfficientNet-Lite0|L6|YAML|UTC|WAV|FLAC|Ogg|MP3|AIFF|PNG|JPEG|WebP|TIFF|BMP|GIF|Whisper|tiny.en|MiniLM|CC0-1.0|CC-BY-4.0|Apache-2.0|MIT"
PEOPLE = (
    "Digits|Vision|Speech|DI|VI|SP|Olga Owner|OO|(Maintainer|Reviewer|Contributor|Viewer) "
    "Person|[MRCV]P"
)
DATA = (
    "Samples|Handwriting|Recordings|Clues|Readings|sample_id|digit-fusion|zero|one|two|three|four|five|six|seven|eight|nine|good|poor"
    "|wordnet|bible|text|speech|image|seconds|label|code|speaker|writer|Ann|Bo|Cai|legibility|source|annotator|samples|handwriting|readings|recordings"
    "|both|concat|gated|late|python|torch|digits|only 9 samples, too few for an interval"
)
KNOWN = re.compile(rf"\b({NAMES}|{PEOPLE}|{DATA}|[vWS]?\d+|[a-z])\b|@?[\w.]+@[\w.]+", re.IGNORECASE)
"""What is no word of the interface: names, and what the people and data of the test are called."""


class Page(HTMLParser):
    """The words that a person sees or hears, and the links; what a team wrote is marked
    translate=no.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.words: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        quiet = (
            found.get("translate") == "no" or tag in SILENT or bool(self.open and self.open[-1][1])
        )
        self.links += [found["href"]] if tag == "a" and "href" in found else []
        self.words += [] if quiet else [found[name] for name in SAID if name in found]
        if tag not in VOID:
            self.open.append((tag, quiet))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1][1]):
            self.text += f"{data}\n"


def hard_coded(page: Page) -> Iterator[str]:
    """A message may hold marks and other messages, so the text of a page is read as a whole."""
    for text in [*page.words, page.text]:
        while (fewer := re.sub(r"⟦[^⟦⟧]*⟧", "", text)) != text:
            text = fewer
        yield from (
            line.strip()
            for line in text.splitlines()
            if re.search(r"[A-Za-z]{2}", KNOWN.sub("", line))
        )


@pytest.fixture
def pseudo(tmp_path: Path, settings: LazySettings) -> None:
    messages = polib.pofile(str(ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"))
    for entry in messages:
        entry.msgstr = "" if entry.msgid_plural else f"⟦{entry.msgid}⟧"
        entry.msgstr_plural = {0: f"⟦{entry.msgid_plural}⟧"} if entry.msgid_plural else {}
    (tmp_path / "zh_Hans/LC_MESSAGES").mkdir(parents=True)
    messages.save_as_mofile(str(tmp_path / "zh_Hans/LC_MESSAGES/django.mo"))
    settings.LOCALE_PATHS = [tmp_path]


@pytest.mark.django_db
def test_no_page_says_a_word_that_is_not_translated(team, client: Client, pseudo: None) -> None:
    make_study(team.vision, team.speech)
    version = factory.version(team.project, team.owner)
    reviews.propose(team.owner, version, "It is better.", {team.speech: team.reviewer})
    client.force_login(team.owner)
    client.cookies["language"] = "zh-hans"
    todo, seen, found = ["/"], {MADE_UP}, []
    while todo:
        path = todo.pop()
        seen.add(path)
        answer = client.get(path)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        assert '<html lang="zh-hans"' in answer.content.decode()
        page = Page(answer.content.decode())
        found += [f"{path}: {text}" for text in hard_coded(page)]
        links = {
            re.sub(r"/S\d+/", "/S000/", re.split("[?#]", link)[0])
            for link in page.links
            if link.startswith("/")
        }
        todo += sorted(links - seen - set(todo))
    assert len(seen) > 30
    assert not found, "\n".join(found)
