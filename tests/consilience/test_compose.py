"""The production files agree with the code that they start."""

import re
from pathlib import Path

import pytest
import yaml

from consilience.command import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_every_part_of_production_is_a_service(compose: dict) -> None:
    assert {
        "proxy",
        "web",
        "worker",
        "importer",
        "scheduler",
        "postgres",
        "redis",
        "storage",
    } <= set(compose["services"])


def test_every_command_that_a_service_starts_exists(compose: dict) -> None:
    commands = [
        service["command"].split()[1]
        for service in compose["services"].values()
        if service.get("command", "").startswith("consilience ")
    ]
    assert len(commands) == 5
    for command in commands:
        assert (
            command in COMMANDS
            or (ROOT / f"platform/consilience/management/commands/{command}.py").exists()
        )


def test_both_queues_have_a_worker(compose: dict) -> None:
    commands = [service.get("command", "") for service in compose["services"].values()]
    assert {"consilience worker default", "consilience worker cpu"} <= set(commands)


def test_only_the_proxy_can_be_reached_from_outside(compose: dict) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == [
        "proxy"
    ]


def test_no_secret_is_written_down_and_each_has_a_line_to_set_it(compose: dict) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = set(re.findall(r"\$\{([A-Z_]+):\?\}", text))
    assert names
    assert names == {line.split("=")[0] for line in example.splitlines()}
    for line in example.splitlines():
        if "PASSWORD" in line or "KEY" in line:
            assert line.endswith("=")


def test_every_setting_of_the_containers_is_read_by_the_code(compose: dict) -> None:
    source = "".join(
        (ROOT / f"platform/consilience/{name}.py").read_text(encoding="utf-8")
        for name in ("settings", "environment")
    )
    names = list(compose["services"]["web"]["environment"])
    assert names
    for name in names:
        assert name.startswith("AWS_") or f'"{name}"' in source


def test_the_image_copies_what_the_wheel_is_built_from() -> None:
    copied = set(
        re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    )
    assert copied == {"platform", "apps", "templates", "static", "locale"}
