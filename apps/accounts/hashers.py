from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with the memory that OWASP names (19 MiB); Django's default takes 100 MB
    a sign-in.
    """

    memory_cost = 19_456
    time_cost = 2
    parallelism = 1
