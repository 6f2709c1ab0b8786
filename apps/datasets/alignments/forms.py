"""The builder's form: check boxes and menus over the columns that the project has; works without
JavaScript.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.datasets.models import Version
from apps.ui import learning_tasks
from fusion.data.study_spec import KIND_OF_COLUMN

from .spec import LABEL_KINDS, Source, is_annotation, modality_name, sources_of

POLICY_CHOICES = (
    (
        "leave-one-group-out",
        gettext_lazy("Leave one group out"),
        gettext_lazy(
            "Train on all groups but one and test on that one, in turn. The honest question: how "
            "good is it on people it has never met?"
        ),
    ),
    (
        "by-group",
        gettext_lazy("One test share"),
        gettext_lazy("Whole groups are drawn for the test until the share is reached. One round."),
    ),
    (
        "grouped-k-fold",
        gettext_lazy("Several rounds"),
        gettext_lazy("The groups are dealt into k parts; each part is the test once."),
    ),
    (
        "fixed",
        gettext_lazy("A column says it"),
        gettext_lazy("A column holds train, validation or test for each sample."),
    ),
)


class AlignmentForm(forms.Form):
    """`sources` are read as check boxes by the template; the names of the inputs stand
    beside them.
    """

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    label = forms.ChoiceField(label=gettext_lazy("What is to be recognised"))
    task = forms.ChoiceField(label=gettext_lazy("Which kind of answer?"), required=False)
    order = forms.CharField(
        label=gettext_lazy("Order of the labels"), max_length=2000, required=False
    )
    groups = forms.MultipleChoiceField(
        label=gettext_lazy("Keep together"), required=False, widget=forms.CheckboxSelectMultiple
    )
    cluster = forms.ChoiceField(label=gettext_lazy("Unit of the intervals"), required=False)
    policy = forms.ChoiceField(
        label=gettext_lazy("Split"),
        choices=[choice[:2] for choice in POLICY_CHOICES],
        initial=POLICY_CHOICES[0][0],
    )
    test = forms.FloatField(
        label=gettext_lazy("Test share"), min_value=0.05, max_value=0.9, initial=0.2, required=False
    )
    folds = forms.IntegerField(
        label=gettext_lazy("Rounds"), min_value=2, max_value=50, initial=5, required=False
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"), min_value=0, max_value=2**31 - 1, initial=7, required=False
    )
    column = forms.ChoiceField(label=gettext_lazy("Column with train and test"), required=False)

    def __init__(
        self,
        versions: list[Version],
        annotators: Mapping[str, list[str]],
        data: QueryDict | None = None,
        initial: Any = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.sources = sources_of(versions)
        none = [("", _("chosen for you"))]
        self.fields["label"].choices = [
            ("", _("Choose …")),
            *label_choices(self.sources, annotators),
        ]
        self.fields["task"].choices = [
            ("", _("What is usual for the column")),
            *learning_tasks.choices(),
        ]
        self.fields["groups"].choices = [
            (source.ref, source.ref) for source in self.of_kind("group")
        ]
        self.fields["cluster"].choices = none + [
            (source.ref, source.ref) for source in self.of_kind("group")
        ]
        self.fields["column"].choices = [("", "–")] + [
            (source.ref, source.ref) for source in self.of_kind("category", "group", "label")
        ]

    def of_kind(self, *kinds: str) -> list[Source]:
        return [
            source
            for source in self.sources.values()
            if source.kind in kinds and not is_annotation(source.version)
        ]

    @property
    def offered(self) -> list[Source]:
        """The columns that can be an input."""
        return [
            source
            for source in self.sources.values()
            if source.kind in KIND_OF_COLUMN and not is_annotation(source.version)
        ]

    def spec(self) -> dict[str, Any]:
        """The choice as data, whole or not; `checked_spec` says what is missing."""
        data = self.data if self.is_bound else self.initial
        get = self.data.getlist if self.is_bound else lambda name: data.get(name, [])
        source, _at, annotator = str(data.get("label") or "").partition("@")
        label = {"annotator": annotator, "task": data.get("task"), "order": data.get("order")}
        split = {"policy": data.get("policy") or POLICY_CHOICES[0][0]}
        options = {
            "test": data.get("test"),
            "seed": data.get("seed"),
            "folds": data.get("folds"),
            "column": data.get("column"),
        }
        split |= {name: value for name, value in options.items() if value not in (None, "")}
        return {
            "modalities": self.modalities(get("inputs")),
            "label": {"source": source, **{name: value for name, value in label.items() if value}},
            "groups": list(get("groups")),
            "cluster": data.get("cluster") or "",
            "split": split,
        }

    def modalities(self, chosen: list[str]) -> dict[str, Any]:
        """Each picture, recording, text, series is an input; the chosen values of one data set
        together are one.
        """
        inputs: dict[str, dict[str, Any]] = {}
        tables: dict[str, str] = {}
        for ref in chosen:
            source = self.sources.get(ref)
            if source is None:
                continue
            kind = KIND_OF_COLUMN.get(source.kind, "")
            slug = source.version.dataset.slug
            if kind == "table" and slug in tables:
                inputs[tables[slug]]["columns"].append(ref)
                continue
            name = (self.data.get(f"name:{ref}") if self.is_bound else "") or modality_name(
                ref, kind, inputs
            )
            if kind == "table":
                tables[slug] = name
            inputs[name] = {"kind": kind, "columns": [ref]}
        return inputs


def label_choices(
    sources: Mapping[str, Source], annotators: Mapping[str, list[str]]
) -> list[tuple[str, Any]]:
    columns = [
        (source.ref, source.ref)
        for source in sources.values()
        if source.kind in LABEL_KINDS and not is_annotation(source.version)
    ]
    columns.sort(key=lambda choice: (LABEL_KINDS.index(sources[choice[0]].kind), choice[0]))
    groups: list[tuple[str, Any]] = [(_("A column"), columns)]
    for slug, names in annotators.items():
        ref = f"{slug}.label"
        title = sources[ref].version.dataset.name
        people = [
            (
                f"{ref}@{name}",
                _("%(dataset)s: %(annotator)s alone") % {"dataset": title, "annotator": name},
            )
            for name in names
        ]
        groups.append(
            (
                title,
                [(ref, _("%(dataset)s: what most annotators say") % {"dataset": title}), *people],
            )
        )
    return groups


def initial_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec as the form's initial values, for a copy of an alignment."""
    label = spec["label"]["source"] + (
        f"@{spec['label']['annotator']}" if spec["label"].get("annotator") else ""
    )
    return {
        "label": label,
        "task": spec["label"].get("task", "classification"),
        "order": ", ".join(spec["label"].get("order", [])),
        "inputs": [ref for modality in spec["modalities"].values() for ref in modality["columns"]],
        "groups": spec["groups"],
        "cluster": spec.get("cluster", ""),
        **spec["split"],
    }


def suggested(sources: Mapping[str, Source]) -> dict[str, Any]:
    """A first choice: every medium as input, the first label column, the smallest group column kept
    together.
    """
    data = [source for source in sources.values() if not is_annotation(source.version)]
    groups = sorted(
        (source for source in data if source.kind == "group" and source.distinct > 1),
        key=lambda source: (-source.version.n_rows, source.distinct),
    )
    label = next(
        (source.ref for source in data if source.kind == "label"),
        next((source.ref for source in sources.values() if source.kind == "label"), ""),
    )
    return {
        "inputs": [
            source.ref for source in data if source.kind in ("image", "audio", "text", "series")
        ],
        "label": label,
        "groups": [groups[0].ref] if groups else [],
        "policy": "leave-one-group-out" if groups else "by-group",
    }
