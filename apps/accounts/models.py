from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.mixins import GuardianUserMixin
from knox.models import AbstractAuthToken, AuthTokenManager


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(GuardianUserMixin, PermissionsMixin, AbstractBaseUser):
    class Theme(models.TextChoices):
        SYSTEM = "", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(_("language"), max_length=10, blank=True)
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(_("administrator of this installation"), default=False)
    is_demo = models.BooleanField(_("demo person"), default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ("name",)

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def initials(self) -> str:
        words = str(self).replace("@", " ").split()
        letters = [words[0][0], words[-1][0]] if len(words) > 1 else list(words[0][:2])
        return "".join(letters).upper()


class ApiToken(AbstractAuthToken):
    """A token for programs: shown once, stored as a digest, with an end."""

    class Scope(models.TextChoices):
        READ = "read", _("Read")
        WRITE = "write", _("Read and write")

    name = models.CharField(_("name"), max_length=80)
    scope = models.CharField(_("scope"), max_length=5, choices=Scope, default=Scope.WRITE)
    project = models.ForeignKey(
        "projects.Project",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("project"),
    )
    last_used = models.DateTimeField(null=True, editable=False)

    objects = AuthTokenManager()

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.name
