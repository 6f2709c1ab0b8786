from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from knox.auth import TokenAuthentication

from apps.accounts.models import ApiToken, User


class BearerAuthentication(TokenAuthentication):
    """`Authorization: Bearer csl_...`; a token that may only read is refused for everything else
    (apps.api.permissions).
    """

    model = ApiToken

    def authenticate_credentials(self, token: Any) -> tuple[User, ApiToken]:
        user, row = super().authenticate_credentials(token)
        ApiToken.objects.filter(pk=row.pk).update(last_used=timezone.now())
        return user, row

    def authenticate_header(self, request: HttpRequest) -> str:
        return settings.REST_KNOX["AUTH_HEADER_PREFIX"]

    def _cleanup_token(self, auth_token: ApiToken) -> bool:
        return auth_token.expiry is not None and auth_token.expiry < timezone.now()
