"""`consilience encoder`: which foundation models this installation offers. An administrator's
command, on the server alone.
"""

import argparse
import sys
from collections.abc import Callable

from . import environment

MODALITIES = ("image", "audio", "text", "table", "series")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="consilience encoder",
        description=f"Encoders of this installation, in {environment.HOME}/encoders.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    adding = commands.add_parser(
        "add", help="copy a transformers folder, or download a hub name, and test it"
    )
    adding.add_argument(
        "source",
        help="a folder with config.json and safetensors weights, or owner/model on the hub",
    )
    adding.add_argument(
        "--name",
        help="what people will choose it by (default: the name of the folder or of the model)",
    )
    adding.add_argument(
        "--licence", help="shown on the page Encoders (default: what its README says)"
    )
    adding.set_defaults(run=add)
    commands.add_parser("list", help="show all of them").set_defaults(run=show)
    checking = commands.add_parser(
        "check", help="test them again on samples, also those that come with the product"
    )
    checking.add_argument(
        "names", nargs="*", metavar="NAME", help="default: all that are installed"
    )
    checking.set_defaults(run=check)
    removing = commands.add_parser("remove", help="remove one that was added")
    removing.add_argument("name")
    removing.set_defaults(run=remove)
    return top


def add(options: argparse.Namespace) -> int:
    from fusion.encoders import installed

    added = installed.add(
        options.source, options.name, options.licence, lambda text: print(text, file=sys.stderr)
    )
    print(
        f"{added.name} is an encoder for {added.kind} now: {added.family}, {added.dim} numbers a "
        f"sample, {added.parameters:,} parameters."
    )
    print(f"SHA-256 of its weights: {added.sha256}")
    print(f"Licence: {added.licence or 'not stated; add it again with --licence'}")
    return 0


def show(options: argparse.Namespace) -> int:
    from fusion.encoders import catalogue

    line = "{:<28} {:<7} {:<14} {:>7} {:>13} {:<14} {}".format
    print(line("name", "reads", "family", "numbers", "parameters", "licence", "self-test"))
    for kind in MODALITIES:
        for entry in catalogue.entries(kind, tiny=False):
            state = (
                "not installed"
                if not entry.installed
                else "none"
                if entry.check is None
                else entry.check.fault or "passed"
            )
            parameters = "" if entry.parameters is None else f"{entry.parameters:,}"
            print(
                line(
                    entry.name,
                    kind,
                    entry.family,
                    entry.dim or "",
                    parameters,
                    entry.licence,
                    state,
                )
            )
    return 0


def check(options: argparse.Namespace) -> int:
    from fusion.encoders import catalogue, installed
    from fusion.encoders.base import EncoderError

    known = {entry.name: entry for entry in catalogue.entries(tiny=False) if entry.installed}
    unknown = [name for name in options.names if name not in known]
    if unknown:
        raise EncoderError(f"there is no encoder {unknown[0]}; here are {', '.join(known)}")
    cards = [installed.check(known[name]) for name in options.names or known]
    for card in cards:
        print(f"{card.name}: {card.check.fault or f'passed, {card.check.seconds:.3f} s a sample'}")
    return int(any(not card.check.passed for card in cards))


def remove(options: argparse.Namespace) -> int:
    from fusion.encoders import installed

    installed.remove(options.name)
    print(
        f"{options.name} is removed. Finished runs keep their results; a run that needs it says so."
    )
    return 0


def main(arguments: list[str]) -> int:
    options = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    from fusion.encoders.base import EncoderError

    try:
        return run(options)
    except EncoderError as refusal:
        print(refusal, file=sys.stderr)
        return 1
