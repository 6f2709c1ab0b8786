"""The verbs of accounts: make a person, set a password, change preferences, give and
take tokens.
"""

from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils import timezone

from .models import ApiToken, User

TOKEN_DAYS = 90


@transaction.atomic
def create_user(email: str, name: str, password: str | None, **fields: object) -> User:
    """Raises ValidationError when the password is weak; None makes an account that nobody can sign
    in to by password.
    """
    if password is not None:
        validate_password(password, User(email=email, name=name))
    return User.objects.create_user(email, password, name=name, **fields)


@transaction.atomic
def set_password(user: User, password: str) -> None:
    """Ends every session of the person, since each holds a digest of the old password."""
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])


@transaction.atomic
def change_profile(user: User, **fields: str) -> User:
    for field, value in fields.items():
        setattr(user, field, value)
    user.save(update_fields=list(fields))
    return user


@transaction.atomic
def create_token(
    user: User,
    name: str,
    scope: str = ApiToken.Scope.WRITE,
    project_id: int | None = None,
    days: int = TOKEN_DAYS,
) -> tuple[ApiToken, str]:
    """The row and the text of the token; the text is shown once and stored nowhere."""
    return ApiToken.objects.create(
        user,
        expiry=timedelta(days=days),
        prefix="csl_",
        name=name,
        scope=scope,
        project_id=project_id,
    )


@transaction.atomic
def revoke_token(user: User, digest: str) -> None:
    ApiToken.objects.filter(user=user, digest=digest).delete()


def live_tokens(user: User) -> list[ApiToken]:
    return list(
        ApiToken.objects.filter(user=user, expiry__gt=timezone.now()).select_related("project")
    )
