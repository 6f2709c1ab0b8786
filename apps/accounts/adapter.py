from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InviteOnly(DefaultAccountAdapter):
    """Nobody signs up from outside: an account comes from an invitation or the command line."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
