"""Slow and broken clients: none of them stops a page, and no part of a body is ever taken for the
whole.
"""

import http.client
import select
import socket
import time
from collections.abc import Callable, Iterable

import pytest
from a2wsgi import WSGIMiddleware

from consilience import asgi

Address = tuple[str, int]
STARTED: list[str] = []
READ: list[str] = []


def page(_environ: dict, start: Callable) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"page"]


def swallow(environ: dict, start: Callable) -> Iterable[bytes]:
    """Reads the body to its end and says how much that was."""
    STARTED.append("upload")
    size = 0
    try:
        while part := environ["wsgi.input"].read(65_536):
            size += len(part)
    except OSError as error:
        READ.append(f"broken: {error}")
        start("400 Bad Request", [])
        return [b"broken"]
    READ.append(str(size))
    start("200 OK", [])
    return [str(size).encode()]


def pour(_environ: dict, start: Callable) -> Iterable[bytes]:
    STARTED.append("download")
    start("200 OK", [])
    return (b"x" * 65_536 for _ in range(2_000))


@pytest.fixture(autouse=True)
def _pools(monkeypatch: pytest.MonkeyPatch) -> None:
    STARTED.clear()
    READ.clear()
    monkeypatch.setattr(asgi, "pages", WSGIMiddleware(page, workers=2))
    monkeypatch.setattr(asgi, "uploads", WSGIMiddleware(swallow, workers=2))
    monkeypatch.setattr(asgi, "downloads", WSGIMiddleware(pour, workers=2))
    monkeypatch.setattr(asgi, "SILENCE_SECONDS", 60.0)


@pytest.fixture
def short_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "SILENCE_SECONDS", 0.5)


def begin(address: Address, path: str, size: int, sent: int = 10) -> socket.socket:
    """A request that says it will send `size` bytes and stops after `sent`."""
    client = socket.create_connection(address)
    client.sendall(
        f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {size}\r\n\r\n".encode()
        + b"x" * sent
    )
    return client


def fetch(address: Address, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("POST" if body else "GET", path, body)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def nothing_arrived(clients: list[socket.socket]) -> bool:
    """Return True while the server has neither answered nor hung up on any client."""
    return not select.select(clients, [], [], 0)[0]


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_pages_answer_while_ten_slow_uploads_are_open(address: Address) -> None:
    clients = [begin(address, "/upload/", 10**8) for _ in range(10)]
    wait_for(lambda: len(STARTED) == 2)
    assert fetch(address, "/") == (200, b"page")
    assert nothing_arrived(clients)
    for client in clients:
        client.close()


def test_pages_answer_while_ten_slow_forms_are_open(address: Address) -> None:
    clients = [begin(address, "/accounts/login/", 1_000) for _ in range(10)]
    assert fetch(address, "/") == (200, b"page")
    assert nothing_arrived(clients)
    for client in clients:
        client.close()


@pytest.mark.usefixtures("short_silence")
def test_a_form_that_falls_silent_is_answered_with_408(address: Address) -> None:
    with begin(address, "/accounts/login/", 1_000) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 408")


@pytest.mark.usefixtures("short_silence")
def test_a_silent_upload_ends_and_the_next_is_served(address: Address) -> None:
    clients = [begin(address, "/upload/", 10**8) for _ in range(2)]
    wait_for(lambda: len(STARTED) == 2)
    assert fetch(address, "/upload/", b"y" * 300_000) == (200, b"300000")
    assert READ[0].startswith("broken")
    wait_for(lambda: sum(text.startswith("broken") for text in READ) == 2)
    for client in clients:
        client.close()


def test_a_body_that_breaks_off_is_never_taken_as_complete(address: Address) -> None:
    begin(address, "/upload/", 10**6, sent=300_000).close()
    wait_for(lambda: READ)
    assert READ[0].startswith("broken")


def idle_readers(address: Address) -> list[socket.socket]:
    """Open two downloads, which take both threads, and read nothing of them."""
    clients = [socket.create_connection(address) for _ in range(2)]
    for client in clients:
        client.sendall(b"GET /p/digits/media/1 HTTP/1.1\r\nHost: test\r\n\r\n")
    wait_for(lambda: len(STARTED) == 2)
    return clients


def test_pages_answer_while_every_download_waits_for_its_reader(address: Address) -> None:
    clients = idle_readers(address)
    assert fetch(address, "/") == (200, b"page")
    assert len(STARTED) == 2
    for client in clients:
        client.close()


@pytest.mark.usefixtures("short_silence")
def test_a_reader_that_takes_nothing_frees_its_thread(address: Address) -> None:
    clients = idle_readers(address)
    assert len(fetch(address, "/p/digits/media/2")[1]) == 2_000 * 65_536
    for client in clients:
        client.close()
