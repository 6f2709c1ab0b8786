"""Settings for tests: a home folder of their own, static files without hashed names, cheap
passwords, no limit on sign-ins.
"""

import os
import tempfile

if "CONSILIENCE_HOME" not in os.environ or os.environ.get("TESTED_BY", "") != os.environ.get(
    "PYTEST_XDIST_WORKER", ""
):  # a home for each
    os.environ["CONSILIENCE_HOME"] = tempfile.mkdtemp(prefix="consilience-test-")
    os.environ["TESTED_BY"] = os.environ.get("PYTEST_XDIST_WORKER", "")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from .settings import *  # noqa: F403
from .settings import STORAGES

ACCOUNT_RATE_LIMITS = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
