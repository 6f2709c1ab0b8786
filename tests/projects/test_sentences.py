import re
from pathlib import Path

from apps.projects.sentences import PHRASES

APPS = Path(__file__).parents[2] / "apps"
RECORDED = re.compile(r"""record\(\s*[^()"']*?["']([a-z_]+\.[a-z_]+)["']""", re.DOTALL)


def verbs() -> set[str]:
    return {verb for path in APPS.rglob("*.py") for verb in RECORDED.findall(path.read_text())}


def test_every_recorded_verb_has_a_phrase() -> None:
    assert len(verbs()) > 10
    assert not verbs() - PHRASES.keys()
