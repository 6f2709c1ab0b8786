import importlib
import sys

HEAVY = {"torch", "transformers", "sklearn", "scipy", "pyarrow"}


def test_models_have_no_missing_migrations(db: None) -> None:
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_platform_is_still_the_standard_library() -> None:
    sys.modules.pop("platform", None)
    assert importlib.import_module("platform").python_version()
