"""The people of the demo. None of them exists; each bears the tag "demo person" and an address
under demo.example.
"""

import secrets
from dataclasses import dataclass

from apps.accounts.models import User
from apps.accounts.services import create_user
from apps.projects.models import Role


@dataclass(frozen=True)
class Person:
    name: str
    role: Role
    discipline: str

    @property
    def email(self) -> str:
        first, *_middle, last = self.name.lower().replace("ê", "e").split()
        return f"{first}.{last}@demo.example"


PEOPLE = (
    Person("Inês Costa", Role.OWNER, "IN"),
    Person("Amara Okafor", Role.MAINTAINER, "VI"),
    Person("Lin Mei", Role.MAINTAINER, "SP"),
    Person("Eszter Nagy", Role.MAINTAINER, "LI"),
    Person("Piet de Jong", Role.CONTRIBUTOR, "VI"),
)


def account(person: Person) -> User:
    """The account, made at the first call with a password that nobody knows: the demo people sign
    in by tile.
    """
    user = User.objects.filter(email=person.email).first()
    return user or create_user(person.email, person.name, secrets.token_urlsafe(24), is_demo=True)
