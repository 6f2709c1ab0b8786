from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User

from .models import Discipline, Invitation, Member, Project, Role


class ProjectForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ("name", "goal")
        help_texts = {
            "goal": _(
                "What shall the team be able to do in the end? Everybody sees this sentence on "
                "the first page."
            )
        }


class DisciplineForm(forms.ModelForm):
    code = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=_("Code"),
        help_text=_("Two letters."),
        error_messages={"invalid": _("Use two letters.")},
    )

    class Meta:
        model = Discipline
        fields = ("name", "code", "lead")

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        self.fields["lead"].queryset = User.objects.filter(memberships__project=project)

    def clean_code(self) -> str:
        code = self.cleaned_data["code"].upper()
        if self.project.disciplines.filter(code=code).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Another discipline of this project has this code."))
        return code


class StartRow(forms.Form):
    """One line of the first page of a project: a discipline to begin with."""

    name = forms.CharField(label=_("Discipline"), max_length=60, required=False)
    code = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=_("Code"),
        required=False,
        error_messages={"invalid": _("Use two letters.")},
    )

    def clean(self) -> dict[str, Any]:
        fields = super().clean()
        if fields.get("name") and not fields.get("code") and "code" not in self.errors:
            fields["code"] = fields["name"][:2]
        return fields


class StartRows(forms.BaseFormSet):
    def clean(self) -> None:
        codes = [row.get("code", "").upper() for row in self.cleaned_data if row.get("name")]
        if len(codes) != len(set(codes)):
            raise forms.ValidationError(_("Give every discipline a code of its own."))

    def disciplines(self) -> list[dict[str, str]]:
        return [
            {"name": row["name"], "code": row["code"].upper()}
            for row in self.cleaned_data
            if row.get("name")
        ]


StartFormSet = forms.formset_factory(StartRow, formset=StartRows, extra=4, max_num=8)


class DisciplineChoice(forms.ModelForm):
    disciplines = forms.ModelMultipleChoiceField(
        Discipline.objects.none(),
        label=_("Disciplines"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["disciplines"].queryset = project.disciplines.all()


class InviteForm(DisciplineChoice):
    class Meta:
        model = Invitation
        fields = ("email", "role", "disciplines")


class MemberForm(DisciplineChoice):
    class Meta:
        model = Member
        fields = ("role", "disciplines")


class JoinForm(forms.Form):
    name = forms.CharField(label=_("Your name"), max_length=120)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters."),
    )


ROLE_WORDS = {
    Role.OWNER: _("Everything, also members and settings"),
    Role.MAINTAINER: _("Adds data, starts runs, registers and promotes models, decides in reviews"),
    Role.CONTRIBUTOR: _("Adds data, annotates, starts runs, comments"),
    Role.REVIEWER: _("Decides in reviews for a discipline, comments"),
    Role.VIEWER: _("Reads everything, changes nothing"),
}
