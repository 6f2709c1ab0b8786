"""The encoders of the engine's catalogue as a form shows them."""

from itertools import combinations

from django.utils.translation import gettext as _

from fusion.encoders import catalogue
from fusion.encoders.catalogue import Entry

JOIN = "+"


def problem(name: str, kind: str) -> str:
    """Why an encoder cannot read a modality of this kind; empty where it can."""
    entry = catalogue.get(name)
    if entry is None:
        return _("There is no encoder %(encoder)s on this server.") % {"encoder": name}
    if entry.kind != kind:
        return _("%(encoder)s does not read this kind of input (%(kind)s).") % {"encoder": name, "kind": kind}
    return ""


def offered(kind: str, named: list[str]) -> list[Entry]:
    """Those that are installed, and any that the recipe names; the ones for tests only where nothing else is there."""
    usual = [entry for entry in catalogue.entries(kind, tiny=False) if entry.installed]
    wanted = {*named, *catalogue.default(kind)}
    extra = [entry for entry in catalogue.entries(kind) if entry.name in wanted and entry not in usual]
    return [*usual, *extra]


def choices(kind: str, named: list[str]) -> list[tuple[str, str]]:
    """Single encoders and pairs whose vectors stand side by side; what the recipe names is always among them."""
    entries = offered(kind, named)
    found = [(entry.name, title(entry)) for entry in entries]
    found += [
        (JOIN.join((a.name, b.name)), f"{a.title} + {b.title}") for a, b in combinations(entries, 2) if "tiny" not in (a.sort, b.sort)
    ]
    mine = JOIN.join(named)
    return found if not named or mine in dict(found) else [*found, (mine, " + ".join(named))]


def title(entry: Entry) -> str:
    return f"{entry.title}, {entry.dim} d" if entry.dim else entry.title


def describe(value: str) -> list[Entry]:
    """The catalogue's entries behind a choice of the form."""
    return [entry for name in value.split(JOIN) if (entry := catalogue.get(name))]
