"""The encoders of the engine's catalogue as a form and their own page show them."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ui.components.modalities import MODALITIES
from fusion.encoders import catalogue
from fusion.encoders.catalogue import Entry

JOIN = "+"
LOCAL = gettext_lazy("A %(family)s model that the administrator of this installation added.")
KINDS = ("image", "audio", "text", "table", "series")
ADD = "consilience encoder add NAME_OR_FOLDER --licence LICENCE"
CHECK = "consilience encoder check"
POOLINGS = {
    "mean": gettext_lazy("mean: of all tokens, places or frames"),
    "first": gettext_lazy("first: what stands for the whole, where there is such a token"),
    "last": gettext_lazy("last: what a GPT says of the whole text"),
    "segments": gettext_lazy("segments: stretches side by side"),
    "grid": gettext_lazy("grid: the cells of a picture side by side"),
}
NAMES = {
    "pixels": gettext_lazy("Pixels"),
    "numbers": gettext_lazy("Numbers"),
    "curve": gettext_lazy("Curve"),
}


def problem(code: str, kind: str) -> str:
    """The reason why an encoder cannot read a modality of this kind; empty where it can."""
    entry = catalogue.get(code)
    if entry is None:
        return _("There is no encoder %(encoder)s on this server.") % {"encoder": code}
    if entry.kind != kind:
        return _("%(encoder)s does not read this kind of input (%(kind)s).") % {
            "encoder": code,
            "kind": kind,
        }
    return ""


def offered(kind: str, named: list[str]) -> list[Entry]:
    """Encoders that are installed or named by the recipe; those for tests only without others."""
    usual = [entry for entry in catalogue.entries(kind, tiny=False) if entry.installed]
    wanted = {*named, *catalogue.default(kind)}
    extra = [
        entry for entry in catalogue.entries(kind) if entry.name in wanted and entry not in usual
    ]
    return [*usual, *extra]


def choices(kind: str, named: list[str]) -> list[tuple[str, str]]:
    """Single encoders and pairs whose vectors stand side by side; what the recipe names is always
    among them.
    """
    entries = offered(kind, named)
    options = {entry.name: title(entry) for entry in entries}
    options |= {
        JOIN.join((first.name, second.name)): f"{name(first)} + {name(second)}"
        for first, second in combinations(entries, 2)
        if "tiny" not in (first.sort, second.sort)
    }
    if named:
        options.setdefault(JOIN.join(named), " + ".join(named))
    return list(options.items())


def poolings(kind: str, named: list[str]) -> list[tuple[str, object]]:
    """Every pooling that some encoder of the kind can do."""
    known = {pooling for entry in offered(kind, named) for pooling in entry.poolings}
    return [
        ("", gettext_lazy("The encoder's own")),
        *((code, words) for code, words in POOLINGS.items() if code in known),
    ]


def name(entry: Entry) -> str:
    """The name of the model, or a word where there is no model."""
    return str(NAMES.get(entry.name, entry.title))


def called(code: str) -> str:
    """The name of an encoder that may be gone from this server."""
    entry = catalogue.get(code)
    return name(entry) if entry else code


def title(entry: Entry) -> str:
    return f"{name(entry)}, {entry.dim} d" if entry.dim else name(entry)


def describe(value: str) -> list[Entry]:
    """The catalogue's entries behind a choice of the form, in the reader's language."""
    entries = [entry for code in value.split(JOIN) if (entry := catalogue.get(code))]
    return [in_words(entry) for entry in entries]


def in_words(entry: Entry) -> Entry:
    """Return the entry in the reader's language."""
    description = _(entry.description)
    if entry.sort == "local":
        description = LOCAL % {"family": entry.family}
    return replace(entry, title=name(entry), description=str(description))


@dataclass(frozen=True)
class ShownEncoder:
    """A row of the encoders' page."""

    entry: Entry

    @property
    def tested(self) -> datetime | None:
        """The day of the self-test; None for a date that cannot be read, since the record is a file
        that an administrator may have edited.
        """
        if self.entry.check is None:
            return None
        try:
            return datetime.fromisoformat(self.entry.check.date)
        except (TypeError, ValueError):
            return None

    @property
    def parameters(self) -> str:
        return "–" if self.entry.parameters is None else f"{self.entry.parameters:,}"

    @property
    def layers(self) -> str:
        return f"0–{self.entry.layers[-1]}" if self.entry.layers else ""

    @property
    def source(self) -> str:
        return f"{self.entry.source} {self.entry.version}".strip()


@dataclass(frozen=True)
class EncodersOfKind:
    """The encoders of one kind of modality. `bare`: none of them is a foundation model that can be
    used now.
    """

    kind: str
    title: str
    rows: list[ShownEncoder]

    @property
    def bare(self) -> bool:
        return not any(row.entry.family and row.entry.installed for row in self.rows)


def by_kind() -> list[EncodersOfKind]:
    entries = [in_words(entry) for entry in catalogue.entries(tiny=False)]
    return [
        EncodersOfKind(
            kind,
            str(MODALITIES[kind].label),
            [ShownEncoder(entry) for entry in entries if entry.kind == kind],
        )
        for kind in KINDS
    ]
