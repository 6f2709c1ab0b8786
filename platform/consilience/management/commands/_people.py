from django.core.management import CommandError

from apps.accounts.models import User


def person(email: str) -> User:
    try:
        return User.objects.get(email=email.lower())
    except User.DoesNotExist as error:
        raise CommandError(f"Nobody here has the address {email}.") from error
