from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.projects.models import Discipline

from .models import Decision
from .proposal import Candidate
from .services import MAX_SUMMARY


class ProposalForm(forms.Form):
    """Reason, and one row a discipline: does it decide, and who is asked."""

    reason = forms.CharField(
        label=_("Why should it be promoted?"),
        help_text=_("The first thing that reviewers read."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say in a sentence or two why it should be promoted.")},
    )

    def __init__(self, candidates: Sequence[Candidate], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.candidates = candidates
        for candidate in candidates:
            pk = candidate.discipline.pk
            self.fields[f"required-{pk}"] = forms.BooleanField(
                required=False,
                initial=candidate.required,
                label=candidate.discipline.name,
                widget=forms.CheckboxInput(attrs={"class": "check"}),
            )
            self.fields[f"reviewer-{pk}"] = forms.ModelChoiceField(
                User.objects.filter(pk__in=[user.pk for user in candidate.reviewers]),
                required=False,
                initial=candidate.chosen,
                label=_("Who is asked"),
                empty_label=_("Anybody of the discipline"),
                widget=forms.Select(attrs={"class": "select"}),
            )

    def rows(self) -> list[dict[str, Any]]:
        """Per discipline: the two bound fields."""
        return [
            {
                "candidate": candidate,
                "required": self[f"required-{candidate.discipline.pk}"],
                "reviewer": self[f"reviewer-{candidate.discipline.pk}"],
            }
            for candidate in self.candidates
        ]

    def reviewers(self) -> dict[Discipline, User | None]:
        chosen = [
            candidate.discipline
            for candidate in self.candidates
            if self.cleaned_data[f"required-{candidate.discipline.pk}"]
        ]
        return {discipline: self.cleaned_data[f"reviewer-{discipline.pk}"] for discipline in chosen}

    def add_errors(self, messages: Iterable[str]) -> None:
        for message in messages:
            self.add_error(None, message)


class DecisionForm(forms.Form):
    """`comment` in the data is the second button: a comment needs no radio."""

    discipline = forms.ModelChoiceField(
        Discipline.objects.none(), label=_("For which discipline"), empty_label=None
    )
    verdict = forms.ChoiceField(
        label=_("Your decision"),
        choices=[
            (verdict.value, verdict.label)
            for verdict in (Decision.Verdict.APPROVE, Decision.Verdict.CHANGES)
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    summary = forms.CharField(
        label=_("Summary for the other disciplines"),
        max_length=MAX_SUMMARY,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write a summary for the other disciplines.")},
    )

    OPTIONS = (
        {"value": "approve", "title": _("Approve"), "text": _("Good enough for Staging.")},
        {
            "value": "changes",
            "title": _("Request changes"),
            "text": _("Say what must be different."),
        },
    )

    def __init__(self, disciplines: Sequence[Discipline], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.disciplines = disciplines
        self.fields["discipline"].queryset = Discipline.objects.filter(
            pk__in=[candidate.pk for candidate in disciplines]
        )
        if len(disciplines) == 1:
            self.fields["discipline"].initial = disciplines[0]
            self.fields["discipline"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "comment" in self.data:
            data["verdict"] = Decision.Verdict.COMMENT
        elif not data.get("verdict") and "verdict" not in self.errors:
            self.add_error("verdict", _("Choose whether you approve or request changes."))
        return data


class AskAgainForm(forms.Form):
    note = forms.CharField(
        label=_("What has changed since?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say what has changed, or why nothing should.")},
    )
