from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.views import APIView


class WithinToken(BasePermission):
    """A token that may only read changes nothing; one made for a project opens no other."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        token = request.auth
        if not isinstance(token, ApiToken) or request.method in SAFE_METHODS:
            return True
        if token.scope != ApiToken.Scope.WRITE:
            self.message = _("This token may only read. Make one that may write at /me/tokens/.")
            return False
        self.message = _("This token is for one project and cannot make another.")
        return token.project_id is None or "project" in view.kwargs
