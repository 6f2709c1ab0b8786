"""Roles of members, and the actions that each role grants."""

from typing import Literal

from django.db import models
from django.utils.translation import gettext_lazy as _

Action = Literal["view", "comment", "contribute", "review", "maintain", "own"]


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    MAINTAINER = "maintainer", _("Maintainer")
    CONTRIBUTOR = "contributor", _("Contributor")
    REVIEWER = "reviewer", _("Reviewer")
    VIEWER = "viewer", _("Viewer")


GRANTS: dict[Role, tuple[Action, ...]] = {
    Role.OWNER: ("view", "comment", "contribute", "review", "maintain", "own"),
    Role.MAINTAINER: ("view", "comment", "contribute", "review", "maintain"),
    Role.CONTRIBUTOR: ("view", "comment", "contribute"),
    Role.REVIEWER: ("view", "comment", "review"),
    Role.VIEWER: ("view",),
}
