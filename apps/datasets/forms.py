from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.projects.models import Discipline, Project
from fusion.core.column_values import KINDS

from .models import DataSet, Upload

KIND_NAMES = {
    "image": _("Image"),
    "audio": _("Audio"),
    "text": _("Text"),
    "number": _("Number"),
    "category": _("Category"),
    "label": _("Label"),
    "group": _("Group"),
    "series": _("Time series"),
    "tags": _("Tags"),
    "id": _("Identifier"),
    "time": _("Date or time"),
}


COMMAS = [(",", _("a decimal comma, as in 3,5")), (".", _("between thousands, as in 1,234"))]


class SourceForm(forms.Form):
    source = forms.ChoiceField(
        label=_("What are you bringing?"), choices=Upload.Source.choices, widget=forms.RadioSelect
    )


class ColumnsForm(forms.Form):
    """The key column, the kind of each other column, and how values are written where the check was
    in doubt. groups: those of the check report.
    """

    def __init__(
        self,
        table: dict[str, Any],
        options: dict[str, Any],
        groups: list[dict[str, Any]],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in table["all_columns"]]
        self.fields["key"] = forms.ChoiceField(
            label=_("Sample key"), choices=names, initial=options.get("key") or table["key"]
        )
        self.fields["key"].help_text = _(
            "The column that names the sample in every table of the project."
        )
        self.table = table
        for place, column in enumerate(table["columns"]):
            kinds = [(kind, KIND_NAMES[kind]) for kind in KINDS]
            self.fields[f"kind_{place}"] = forms.ChoiceField(
                label=column["name"], choices=kinds, initial=column["kind"]
            )
            self.add_writing(place, column["name"], codes_of(groups, column["name"]), options)

    def add_writing(self, place: int, name: str, codes: set[str], options: dict[str, Any]) -> None:
        chosen = options.get("decimals", {}).get(name, "")
        if chosen or codes & {"decimal_comma", "thousands"}:
            self.fields[f"decimal_{place}"] = forms.ChoiceField(
                label=_("The comma in the numbers of %(column)s") % {"column": name},
                choices=COMMAS,
                initial=chosen or ("," if "decimal_comma" in codes else "."),
            )
        joined = name in options.get("join_capitals", [])
        if joined or "similar_values" in codes:
            self.fields[f"join_{place}"] = forms.BooleanField(
                label=_("Join values of %(column)s that differ only by capitals")
                % {"column": name},
                required=False,
                initial=joined,
            )

    def writing(self) -> list[Any]:
        """The fields about the way values are written."""
        return [self[name] for name in self.fields if name.startswith(("decimal_", "join_"))]

    def rows(self) -> list[tuple[dict[str, Any], Any]]:
        return [
            (column, self[f"kind_{place}"]) for place, column in enumerate(self.table["columns"])
        ]

    def choices(self) -> dict[str, Any]:
        kinds = {
            column["name"]: self.cleaned_data[f"kind_{place}"]
            for place, column in enumerate(self.table["columns"])
        }
        key = self.cleaned_data["key"]
        kinds.pop(key, None)
        chosen = {"key": key, "kinds": kinds}
        return chosen | self.writing_choices() if self.writing() else chosen

    def writing_choices(self) -> dict[str, Any]:
        names = [column["name"] for column in self.table["columns"]]
        decimals = {
            name: mark
            for place, name in enumerate(names)
            if (mark := self.cleaned_data.get(f"decimal_{place}"))
        }
        joined = [
            name for place, name in enumerate(names) if self.cleaned_data.get(f"join_{place}")
        ]
        return {"decimals": decimals, "join_capitals": joined}


def codes_of(groups: list[dict[str, Any]], column: str) -> set[str]:
    """Return the codes of the findings in a column."""
    return {
        group["code"]
        for group in groups
        if any(example.get("column") == column for example in group["examples"])
    }


class RolesForm(forms.Form):
    """The columns of a table of annotations that hold the sample's key, the annotator and the
    label.
    """

    def __init__(
        self,
        table: dict[str, Any],
        options: dict[str, Any],
        label_sets: list[str],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in table["all_columns"]]
        labels = {"key": _("Sample key"), "annotator": _("Annotator"), "label": _("Label")}
        for role, label in labels.items():
            self.fields[role] = forms.ChoiceField(
                label=label, choices=names, initial=options.get(role) or table["roles"].get(role)
            )
        sets = [("none", _("Nothing: any label may occur")), *((name, name) for name in label_sets)]
        self.fields["label_set"] = forms.ChoiceField(
            label=_("Compare the labels with"),
            choices=sets,
            initial=options.get("label_set") or table["roles"].get("label_set", "none"),
        )

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        roles = [chosen.get(role) for role in ("key", "annotator", "label")]
        if len(set(roles)) < len(roles):
            self.add_error("label", _("Key, annotator and label are three different columns."))
        return chosen

    def choices(self) -> dict[str, Any]:
        return self.cleaned_data


class AboutForm(forms.Form):
    """The facts that a person who did not make the data set needs."""

    name = forms.CharField(label=_("Name"), max_length=120)
    discipline = forms.ModelChoiceField(
        Discipline.objects.none(), label=_("Discipline"), help_text=_("Whose data these are.")
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Where the data come from and what a person of another field should know."),
    )
    licence = forms.CharField(
        label=_("Licence"),
        required=False,
        max_length=120,
        help_text=_("For instance CC-BY-4.0, or who allowed what."),
    )

    def __init__(self, project: Project, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["discipline"].queryset = project.disciplines.all()
        if not self.fields["discipline"].queryset:
            self.fields["discipline"].help_text = _(
                "This project has no discipline yet. Ask a maintainer to add yours."
            )

    def choices(self) -> dict[str, Any]:
        return {**self.cleaned_data, "discipline": self.cleaned_data["discipline"].pk}


class VersionNoteForm(forms.Form):
    """A new version of a data set needs only this."""

    note = forms.CharField(
        label=_("What changed"),
        max_length=300,
        help_text=_("One sentence, for those who use the version before it."),
    )

    def choices(self) -> dict[str, Any]:
        return self.cleaned_data


class DataSetForm(forms.ModelForm):
    class Meta:
        model = DataSet
        fields = ("name", "discipline", "description", "licence")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["discipline"].queryset = self.instance.project.disciplines.all()
