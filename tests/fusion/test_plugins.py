"""Encoders that a plug-in brings: the demo's own, a copy of them, and plug-ins that are wrong."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fusion.encoders import catalogue
from fusion.encoders.base import EncoderError

DEMO = Path(__file__).parents[2] / "platform/consilience/demo/encoders"


def python(code: str, folder: Path, plugins: str) -> str:
    """Return what a fresh process prints that imports from `folder` and knows these plug-ins."""
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    settings = {
        "PYTHONPATH": path,
        "CONSILIENCE_ENCODER_PLUGINS": plugins,
        "CONSILIENCE_ENCODERS": str(folder / "weights"),
    }
    command = [sys.executable, "-c", f"from fusion.encoders import catalogue, load\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **settings})
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_a_copy_of_the_demo_s_encoders_is_a_plug_in_of_its_own(tmp_path):
    if not catalogue.get("minilm-l6-v2").installed:
        pytest.skip("the package of minilm-l6-v2 is not installed; the demo extra brings it")
    copy = shutil.copytree(DEMO, tmp_path / "ward_encoders")
    source = (copy / "__init__.py").read_text()
    (copy / "__init__.py").write_text(source.replace("minilm-l6-v2", "ward-minilm", 1))
    code = """encoder = load("ward-minilm")
print(catalogue.get("ward-minilm").adapter, type(encoder).__name__, encoder.dim)
print("minilm-l6-v2" in catalogue.names())"""
    printed = python(code, tmp_path, "ward_encoders")
    assert printed.splitlines() == ["ward_encoders.packaged Language 384", "False"]


def test_without_plug_ins_the_defaults_are_the_built_in_encoders(tmp_path):
    code = (
        "print([e.name for e in catalogue.registered()] == [e.name for e in catalogue.BUILT_IN])\n"
    )
    code += "print(*catalogue.default('image'), *catalogue.default('text'))"
    printed = python(code, tmp_path, "")
    assert printed.splitlines() == ["True", "tiny-image pixels tiny-text"]


def test_a_later_plug_in_replaces_the_defaults_of_an_earlier_one(tmp_path):
    (tmp_path / "ours.py").write_text(
        "from fusion.encoders.catalogue import Entry, register\n"
        "entry = Entry('words', 'text', 'Words', 'Counts words.', 9, 'plain', 'ours_adapter')\n"
        "register(entry, defaults={'text': ('words',)})\n"
    )
    code = "print(*catalogue.default('text'), *catalogue.default('table'))"
    assert python(code, tmp_path, "consilience.demo.encoders, ours") == "words numbers"


def test_a_plug_in_that_is_absent_is_named(monkeypatch):
    monkeypatch.setenv("CONSILIENCE_ENCODER_PLUGINS", "consilience.demo.encoders,no_such_plugin")
    wanted = "CONSILIENCE_ENCODER_PLUGINS: no_such_plugin cannot be imported: No module named"
    with pytest.raises(EncoderError, match=wanted):
        catalogue.get("pixels")


@pytest.mark.parametrize("name", ["pixels", "minilm-l6-v2"])
def test_a_name_is_given_once(name):
    entry = catalogue.get(name)
    with pytest.raises(ValueError, match=f"there is an encoder {name} already"):
        catalogue.register(replace(entry, title="Another"))
    assert catalogue.get(name) == entry
