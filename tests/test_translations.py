"""The Chinese of the product: complete, with the same placeholders, and with the agreed word for each term of docs/terms.md."""

import re
from pathlib import Path

import polib
import pytest

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
    wrong = []
    for entry in messages:
        english = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            if not set(PLACEHOLDER.findall(text)) <= english | set(PLACEHOLDER.findall(entry.msgid)) or (
                not entry.msgid_plural and set(PLACEHOLDER.findall(text)) != english
            ):
                wrong.append(entry.msgid)
    assert not wrong


def terms() -> list[tuple[str, str]]:
    rows = [line.strip("| ").split(" | ") for line in (ROOT / "docs/terms.md").read_text().splitlines() if line.startswith("| ")]
    simple = [(row[0].strip(), row[2].strip()) for row in rows[2:] if len(row) == 3]
    return [(english, chinese) for english, chinese in simple if re.fullmatch(r"[a-z -]+", english) and not re.search(r"[、/（]", chinese)]


CHECKED = (
    "project",
    "discipline",
    "data set",
    "study folder",
    "sample key",
    "modality",
    "alignment",
    "encoder",
    "protocol",
    "registry",
    "quarantine",
)


@pytest.mark.parametrize("term", CHECKED)
def test_a_term_is_translated_by_its_agreed_word(messages: polib.POFile, term: str) -> None:
    chinese = dict(terms())[term]
    whole = re.compile(rf"\b{term}s?\b", re.IGNORECASE)
    wrong = [entry.msgid for entry in messages if whole.search(entry.msgid) and entry.msgstr and chinese not in entry.msgstr]
    assert not wrong


def test_the_template_scan_finds_no_message_that_the_file_lacks(messages: polib.POFile) -> None:
    """A quick stand-in for makemessages, which needs gettext: every translate tag and gettext call with a plain string is known."""
    known = {entry.msgid for entry in messages}
    plain = re.compile(r"""\{%-?\s*translate\s+(?:"([^"]+)"|'([^']+)')|[^\w]_\(\s*"((?:[^"\\]|\\.)+)"\s*\)""")
    missing = set()
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "apps").rglob("*.py")]:
        for found in plain.findall(path.read_text()):
            text = next(part for part in found if part).replace('\\"', '"')
            if text not in known:
                missing.add(f"{path.relative_to(ROOT)}: {text}")
    assert not missing
