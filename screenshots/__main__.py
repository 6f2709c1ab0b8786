"""`python -m screenshots`: the three pictures of the README, from a demo that is made for them.

--out DIR   every page instead, in both themes, widths and languages; narrowed by --only, --theme,
--width and --lang
"""

import argparse
import itertools
import os
from pathlib import Path

from bench.servers import consilience, running
from bench.study import ROOT

README = ("data-set", "run", "review")
THEMES, WIDTHS, LANGUAGES = ("light", "dark"), (1440, 390), ("en", "zh-hans")


def main() -> None:
    options = arguments()
    home = Path(os.environ.get("CONSILIENCE_HOME") or ROOT / ".build" / "screenshots").resolve()
    os.environ["CONSILIENCE_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    consilience(home, "setup")
    consilience(home, "seed_demo")
    import django

    django.setup()
    from .pages import pages

    wanted = [
        page
        for page in pages()
        if page.name in (options.only or ([page.name] if options.out else README))
    ]
    missing = set(options.only or ()) - {page.name for page in wanted}
    if missing:
        raise SystemExit(
            f"There is no page {', '.join(sorted(missing))}. There are: "
            f"{', '.join(page.name for page in pages())}."
        )
    with running(home, "up") as (_process, port):
        shoot(f"http://127.0.0.1:{port}", wanted, options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m screenshots",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, help="a folder; without it the README's pictures are made anew"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these pages alone")
    parser.add_argument("--theme", choices=THEMES)
    parser.add_argument(
        "--width", type=int, help=f"in pixels; otherwise {WIDTHS[0]} and {WIDTHS[1]}"
    )
    parser.add_argument("--lang", choices=LANGUAGES)
    return parser.parse_args()


def shoot(address: str, wanted: list, options: argparse.Namespace) -> None:
    from .browser import Look, chromium, save, take

    looks = [Look("light", 1440, "en")]
    if options.out:
        chosen = (
            [options.theme] if options.theme else THEMES,
            [options.width] if options.width else WIDTHS,
        )
        looks = [
            Look(*parts)
            for parts in itertools.product(*chosen, [options.lang] if options.lang else LANGUAGES)
        ]
    with chromium() as browser:
        for look in looks:
            for page, content, wrong in take(browser, address, wanted, look):
                path = (
                    options.out / str(look) / f"{page.name}.png"
                    if options.out
                    else ROOT / "docs" / "images" / f"{page.name}.png"
                )
                size = save(content, path, None if options.out else page.height)
                print(
                    f"{path}  {size / 1024:.0f} kB{'  ' + '; '.join(wrong) if wrong else ''}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
