from allauth.account.forms import ChangePasswordForm, LoginForm
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .models import ApiToken, User

LANGUAGE_NAMES = {"en": "English", "zh-hans": "简体中文"}


class SignInForm(LoginForm):
    """No link for a forgotten password: this server sends no mail, an administrator
    sets a new one.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail")
        self.fields["password"].help_text = ""


class NewPasswordForm(ChangePasswordForm):
    """The form offers, as at sign-in, no link for a forgotten password."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].help_text = ""
        self.fields["password1"].help_text = _("At least 12 characters.")


class ProfileForm(forms.ModelForm):
    language = forms.ChoiceField(label=_("Language"), required=False)
    theme = forms.ChoiceField(label=_("Appearance"), choices=User.Theme.choices, required=False)

    class Meta:
        model = User
        fields = ("name", "language", "theme")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        names = [(code, LANGUAGE_NAMES[code]) for code, _name in settings.LANGUAGES]
        self.fields["language"].choices = [("", _("As the browser says")), *names]


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("What it is for"),
        max_length=80,
        help_text=_("For instance the name of a script or a machine."),
    )
    scope = forms.ChoiceField(
        label=_("What it may do"), choices=ApiToken.Scope.choices, initial=ApiToken.Scope.WRITE
    )
    days = forms.IntegerField(label=_("Ends after, days"), min_value=1, max_value=365, initial=90)
