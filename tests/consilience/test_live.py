"""Live updates through a real server: what reaches whom, and what a browser that was away gets."""

import json
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from django.test import Client

from apps.accounts.models import User
from apps.jobs.models import Job
from apps.projects import services
from apps.projects.events import record
from apps.projects.hub import hub
from apps.projects.models import Event, Project

pytestmark = pytest.mark.django_db(transaction=True)

Address = tuple[str, int]


class Stream:
    """What EventSource does, without a browser."""

    def __init__(
        self, address: Address, client: Client, query: str = "", last: int | None = None
    ) -> None:
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        resume = f"Last-Event-ID: {last}\r\n" if last is not None else ""
        self.socket = socket.create_connection(address, timeout=20)
        self.socket.sendall(
            f"GET /live/{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n{resume}\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass

    def next(self, seconds: float = 20) -> tuple[str, dict, int | None]:
        """Event, data, id. Raises TimeoutError when nothing comes, EOFError when the
        stream ends.
        """
        self.socket.settimeout(seconds)
        fields: dict[str, str] = {}
        while True:
            line = self.file.readline().decode()
            if not line or line == "0\r\n":
                raise EOFError
            name, found, value = line.rstrip("\n").partition(": ")
            if found and name in {"id", "event", "data"}:
                fields[name] = value
            if not line.strip() and "data" in fields:
                return (
                    fields["event"],
                    json.loads(fields["data"]),
                    int(fields["id"]) if "id" in fields else None,
                )

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def open_stream(address: Address) -> Iterator[Callable[..., Stream]]:
    streams: list[Stream] = []

    def start(user: User | Client | None, query: str = "", last: int | None = None) -> Stream:
        client = user if isinstance(user, Client) else Client()
        if isinstance(user, User):
            client.force_login(user)
        streams.append(Stream(address, client, query, last))
        return streams[-1]

    yield start
    for stream in streams:
        stream.close()
    deadline = time.monotonic() + 20
    while hub.subscriptions:
        assert time.monotonic() < deadline, "the hub keeps streams that are closed"
        time.sleep(0.02)


def happen(team: object, verb: str, number: int = 1, project: Project | None = None) -> None:
    with transaction.atomic():
        record(project or team.project, team.owner, verb, "run", number, f"Run {number}")


def test_a_stranger_gets_401_and_no_redirect(open_stream: Callable[..., Stream]) -> None:
    assert open_stream(None).status == 401


def test_an_event_reaches_a_member_and_no_outsider(
    team: object, open_stream: Callable[..., Stream]
) -> None:
    elsewhere = services.create_project(team.outsider, "Elsewhere", "Another team.")
    member, outsider = open_stream(team.viewer), open_stream(team.outsider)
    assert member.next()[0] == outsider.next()[0] == "hello"
    happen(team, "run.finished", 7)
    event, data, number = member.next()
    assert (event, data["project"], data["target_id"], data["actor_id"]) == (
        "run.finished",
        team.project.slug,
        "7",
        team.owner.pk,
    )
    assert number == Event.objects.latest("id").pk
    happen(team, "run.started", 8, elsewhere)
    assert outsider.next()[1]["target_id"] == "8"


def test_what_happened_while_away_comes_once_and_in_order(
    team: object, open_stream: Callable[..., Stream]
) -> None:
    first = open_stream(team.viewer)
    last = first.next()[2]
    first.close()
    for number in range(3):
        happen(team, "run.started", number)
    again = open_stream(team.viewer, last=last)
    events = [again.next() for _ in range(4)]
    assert [data["target_id"] for event, data, _number in events if event != "hello"] == [
        "0",
        "1",
        "2",
    ]
    happen(team, "run.started", 3)
    assert again.next()[1]["target_id"] == "3"


def test_a_removed_member_gets_nothing_more(
    team: object, open_stream: Callable[..., Stream]
) -> None:
    elsewhere = services.create_project(team.viewer, "Elsewhere", "Another team.")
    stream = open_stream(team.viewer)
    stream.next()
    services.remove_member(team.owner, team.project, team.viewer)
    happen(team, "run.finished", 7)
    happen(team, "run.started", 8, elsewhere)
    assert stream.next()[1]["target_id"] == "8"


def test_a_new_member_needs_no_reload(team: object, open_stream: Callable[..., Stream]) -> None:
    stream = open_stream(team.outsider)
    stream.next()
    services.set_member(team.owner, team.project, team.outsider, services.Role.VIEWER)
    assert stream.next()[0] == "member.added"


def test_the_stream_of_somebody_who_signed_out_ends(
    team: object, open_stream: Callable[..., Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.projects.hub.CHECK_SECONDS", 0.3)
    client = Client()
    client.force_login(team.viewer)
    stream = open_stream(client)
    stream.next()
    client.session.flush()
    with pytest.raises(EOFError):
        stream.next()


def test_the_progress_of_a_job_reaches_the_page(
    team: object, open_stream: Callable[..., Stream]
) -> None:
    stream = open_stream(team.viewer, f"?project={team.project.slug}")
    stream.next()
    job = Job.objects.create(project=team.project, kind="train", stage="epoch", done=3, total=40)
    event, data, number = stream.next()
    assert (event, data["job"], data["stage"], data["done"], data["total"], number) == (
        "job",
        str(job.pk),
        "epoch",
        3,
        40,
        None,
    )
    job.done = 4
    job.save()
    assert stream.next()[1]["done"] == 4
    job.done = 5
    job.save()
    assert stream.next()[1]["done"] == 5


def test_a_project_that_one_may_not_see_is_not_found(
    team: object, open_stream: Callable[..., Stream]
) -> None:
    assert open_stream(team.outsider, f"?project={team.project.slug}").status == 404


def test_the_eleventh_stream_of_a_person_is_refused(
    team: object, open_stream: Callable[..., Stream]
) -> None:
    streams = [open_stream(team.viewer) for _ in range(10)]
    for stream in streams:
        assert stream.next()[0] == "hello"
    assert open_stream(team.viewer).status == 429
