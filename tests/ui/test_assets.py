from pathlib import Path

import pytest

from consilience import assets


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build that is already installed, somewhere else than the real one."""
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text((assets.ROOT / name).read_text())
    modules, vendor, names = (
        tmp_path / ".build" / "node_modules",
        tmp_path / "static" / "vendor",
        tmp_path / "icons.txt",
    )
    names.write_text("check\nx\n")
    for source in assets.MANIFEST:
        (modules / source).parent.mkdir(parents=True, exist_ok=True)
        (modules / source).write_text(f"{source}\n//# sourceMappingURL=a.map")
    icons = modules / "lucide-static" / "icons"
    icons.mkdir(parents=True)
    for name in ("check", "x"):
        (icons / f"{name}.svg").write_text(f'<svg width="24">\n  <path d="{name}" />\n</svg>')
    patches = {
        "ROOT": tmp_path,
        "BUILD": tmp_path / ".build",
        "MODULES": modules,
        "VENDOR": vendor,
        "ICON_NAMES": names,
        "STAMP": vendor / ".stamp",
    }
    for name, value in patches.items():
        monkeypatch.setattr(assets, name, value)
    return tmp_path


def test_the_named_files_and_a_sprite_of_the_named_icons_are_built(tree: Path) -> None:
    assets.copy_files()
    assert assets.is_built()
    assert all((tree / "static" / "vendor" / name).is_file() for name in assets.MANIFEST.values())
    sprite = (tree / "static" / "vendor" / "icons.svg").read_text()
    assert sprite.count("<symbol") == 2
    assert '<symbol id="check" viewBox="0 0 24 24"><path d="check" /></symbol>' in sprite
    assert "sourceMappingURL" not in (tree / "static" / "vendor" / "htmx.min.js").read_text()


def test_a_second_build_needs_no_npm(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assets.copy_files()
    monkeypatch.setattr(assets, "install", lambda: pytest.fail("npm was called"))
    assets.main()
    assert "up to date" in capsys.readouterr().out


def test_a_new_icon_or_a_lost_file_makes_it_build_again(tree: Path) -> None:
    assets.copy_files()
    (tree / "icons.txt").write_text("check\n")
    assert not assets.is_built()
    assets.copy_files()
    (tree / "static" / "vendor" / "htmx.min.js").unlink()
    assert not assets.is_built()
