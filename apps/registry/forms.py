from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.experiments.models import Run
from apps.projects.models import Project

from .models import Model
from .queries import registrable


def _text(label: Any, help_text: Any, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class CardForm(forms.Form):
    """The words of the card that no figure can give."""

    description = forms.CharField(
        label=_("What it does, in one sentence"),
        max_length=300,
        required=False,
        help_text=_("For instance: Recognises a digit that was written, spoken or hinted at."),
    )
    meant_for = _text(_("Meant for"), _("One use a line."))
    not_for = _text(_("Not for"), _("One use a line: where it would harm or mislead."))
    limits = _text(_("Limits known"), _("What a user must know before relying on it."), rows=4)

    def card(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("meant_for", "not_for", "limits")}


class RegisterForm(CardForm):
    field_order = ("run", "model", "name", "description", "meant_for", "not_for", "limits")

    run = forms.ModelChoiceField(Run.objects.none(), label=_("Run"), empty_label=None)
    model = forms.ModelChoiceField(
        Model.objects.none(), label=_("Model"), required=False, empty_label=_("A new model")
    )
    name = forms.CharField(
        label=_("Name of the new model"),
        max_length=120,
        required=False,
        help_text=_("Left out where you choose a model that exists."),
    )

    def __init__(self, project: Project, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["run"].queryset = registrable(project)
        self.fields["run"].label_from_instance = _run_label
        self.fields["model"].queryset = Model.objects.filter(project=project)


def _run_label(run: Run) -> str:
    return _("run %(n)d: %(title)s") % {"n": run.number, "title": run.title}
