"""The Chinese of the product: complete, with the same placeholders, and with the agreed word for
each term of docs/terms.md.
"""

import re
import shutil
from pathlib import Path

import polib
import pytest
from django.conf import LazySettings
from django.core.management import call_command

ROOT = Path(__file__).parents[1]
FILE = ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def messages() -> polib.POFile:
    return polib.pofile(str(FILE))


def test_nothing_is_untranslated_or_doubtful(messages: polib.POFile) -> None:
    assert len(messages) > 500
    assert not [entry.msgid for entry in messages.untranslated_entries()]
    assert not [entry.msgid for entry in messages.fuzzy_entries()]
    assert not messages.obsolete_entries()


def test_placeholders_are_the_same_on_both_sides(messages: polib.POFile) -> None:
    """Of a plural the form for many counts: Chinese has one form, which must not lose
    the number.
    """
    wrong = []
    for entry in messages:
        english = sorted(set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid)))
        texts = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        wrong += [
            entry.msgid for text in texts if sorted(set(PLACEHOLDER.findall(text))) != english
        ]
    assert not wrong


def test_marks_and_percent_signs_are_the_same_on_both_sides(messages: polib.POFile) -> None:
    """A tag that is lost breaks the page, a percent sign that is not doubled breaks the message."""
    marks = re.compile(r"<[^>]+>|%+(?!\()")
    wrong = []
    for entry in messages:
        english = sorted(marks.findall(entry.msgid_plural or entry.msgid))
        texts = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        wrong += [entry.msgid for text in texts if sorted(marks.findall(text)) != english]
    assert not wrong


def test_chinese_sentences_have_chinese_punctuation(messages: polib.POFile) -> None:
    """Full-width marks beside characters, and a space between a character and a Latin word or a
    figure.
    """
    half = re.compile(r"[\u4e00-\u9fff]\s*[,;:?!()]|[,;:?!()]\s*[\u4e00-\u9fff]|[\u4e00-\u9fff]\.")
    tight = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9%][\u4e00-\u9fff]")
    wrong = []
    for entry in messages:
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            plain = re.sub(r"<[^>]+>", "", PLACEHOLDER.sub("", text))
            if half.search(plain) or tight.search(plain):
                wrong.append(text)
    assert not wrong


def terms() -> dict[str, str]:
    """English to Chinese; a row of two terms (split / fold) has both in the same order in either
    language.
    """
    found = {}
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in (ROOT / "docs/terms.md").read_text().splitlines()
    ]
    for english, _meaning, chinese in (row for row in rows if len(row) == 3):
        words = re.sub(r"\s*\([^)]*\)", "", english).split(" / ")
        found |= dict(zip(words, re.split(r" / |、", chinese), strict=False))
    return found


CHECKED = (
    "project",
    "discipline",
    "data set",
    "study folder",
    "sample key",
    "modality",
    "alignment",
    "label scheme",
    "annotation",
    "annotator",
    "fold",
    "foundation model",
    "encoder",
    "embedding",
    "fusion method",
    "recipe",
    "bundle",
    "registry",
    "Staging",
    "candidate",
    "protocol",
    "criterion",
    "gain",
    "contribution",
    "calibration",
    "review",
    "decision",
    "waiver",
    "gate",
    "quarantine",
    "consilience map",
)


@pytest.mark.parametrize("term", CHECKED)
def test_a_term_is_translated_by_its_agreed_word(messages: polib.POFile, term: str) -> None:
    chinese = terms()[term]
    plural = f"{term[:-1]}ies" if term.endswith("y") else f"{term}s"
    whole = re.compile(rf"\b({term}|{plural})\b", re.IGNORECASE)
    wrong = [
        entry.msgid
        for entry in messages
        if whole.search(PLACEHOLDER.sub("", entry.msgid)) and chinese not in chinese_of(entry)
    ]
    assert not wrong


def chinese_of(entry: polib.POEntry) -> str:
    return entry.msgstr or "".join(entry.msgstr_plural.values())


def test_the_template_scan_finds_no_message_that_the_file_lacks(messages: polib.POFile) -> None:
    """A quick stand-in where gettext is not installed: every translate tag and gettext call with a
    plain string is known.
    """
    known = {entry.msgid.replace("%%", "%") for entry in messages}
    plain = re.compile(
        r"""\{%-?\s*translate\s+(?:"([^"]+)"|'([^']+)')|[^\w]_\(\s*"((?:[^"\\]|\\.)+)"\s*\)"""
    )
    missing = set()
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "apps").rglob("*.py")]:
        for found in plain.findall(path.read_text()):
            text = next(part for part in found if part).replace('\\"', '"').replace("%%", "%")
            if text not in known:
                missing.add(f"{path.relative_to(ROOT)}: {text}")
    assert not missing


def test_no_argument_of_a_tag_is_a_message_with_a_per_cent_sign() -> None:
    """Django looks such a constant up with the sign doubled, makemessages finds it with one:
    `translate ... as` is right in both.
    """
    constant = re.compile(r"""_\((?:"[^"]*%[^"]*"|'[^']*%[^']*')\)""")
    assert not [
        f"{path.name}: {text}"
        for path in (ROOT / "templates").rglob("*.html")
        for text in constant.findall(path.read_text())
    ]


@pytest.mark.skipif(
    not shutil.which("xgettext"),
    reason="GNU gettext is not installed, so what makemessages would find is not compared.",
)
def test_the_file_has_exactly_the_messages_of_the_code(
    messages: polib.POFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    for name in ("apps", "platform", "templates"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "locale").mkdir()
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["zh_Hans"], symlinks=True, verbosity=0)
    found = polib.pofile(str(tmp_path / "locale/zh_Hans/LC_MESSAGES/django.po"))
    assert {identity(entry) for entry in found} == {identity(entry) for entry in messages}


def identity(entry: polib.POEntry) -> tuple[str, str, str]:
    return entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""
