"""The pages over a real socket: what they show, what they refuse, and what they never tell."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import httpx
import pytest
import structlog

from stillfit.clock import Clock, FakeClock
from stillfit.config import Http
from stillfit.errors import ListenError
from stillfit.export import pages
from stillfit.export.health import Health
from stillfit.export.view import View
from stillfit.http import AT_ONCE, BODY_BYTES, HEAD_BYTES, serve_pages
from tests import patient
from tests.export.fleet import EMPTY, VIEW


@dataclass
class FakeDaemon:
    view: View = VIEW
    health: Health = field(default_factory=Health)
    clock: Clock = field(default_factory=FakeClock)


@pytest.fixture
def daemon() -> FakeDaemon:
    return FakeDaemon()


@pytest.fixture
def url(daemon: FakeDaemon) -> Iterator[str]:
    with serve_pages(daemon, Http(port=0)) as served:
        yield served.url


def raw(url: str, request: bytes) -> bytes:
    """What the server says to exactly these bytes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/metrics", "text/plain"),
        ("/-/healthy", "text/plain"),
        ("/-/ready", "text/plain"),
        ("/api/findings.json", "application/json"),
    ],
)
def test_each_page_is_served(url: str, path: str, kind: str) -> None:
    answer = patient.get(url + path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)


def test_the_status_page_runs_nothing_and_may_not_be_framed(url: str) -> None:
    headers = patient.get(url).headers

    assert "default-src 'none'; style-src 'sha256-" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    assert headers["server"] == "stillfit"


def test_the_document_is_the_findings_of_the_newest_turn(url: str) -> None:
    assert [one["id"] for one in json.loads(patient.get(f"{url}/api/findings.json").text)["advice"]][:2] == [
        "A-0003",
        "A-0001",
    ]


def test_metrics_are_compressed_for_who_asks(url: str) -> None:
    assert patient.get(f"{url}/metrics").headers["content-encoding"] == "gzip"


def test_a_query_changes_nothing(url: str) -> None:
    assert "stillfit_target_up" in patient.get(f"{url}/metrics?name[]=nothing").text


@pytest.mark.parametrize("path", ["/nope", "/metrics/", "/../etc/passwd", "/%2e%2e/", "/-/reload/x", "/status"])
def test_what_is_not_a_page_is_not_found_and_not_repeated(url: str, path: str) -> None:
    answer = raw(url, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.0 404 ")
    assert path.encode() not in answer.partition(b"\r\n\r\n")[2].replace(b"; / shows", b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_are_only_read(url: str, method: str) -> None:
    assert patient.request(method, f"{url}/-/healthy").status_code == 405


def test_a_head_has_no_body(url: str) -> None:
    answer = httpx.head(f"{url}/-/healthy")

    assert (answer.status_code, answer.content) == (200, b"")


def test_not_ready_before_the_first_turn(url: str, daemon: FakeDaemon) -> None:
    daemon.view = EMPTY

    answer = patient.get(f"{url}/-/ready")

    assert (answer.status_code, answer.text) == (503, "not ready: nothing was judged yet\n")
    assert patient.get(f"{url}/api/findings.json").status_code == 503
    assert patient.get(f"{url}/-/healthy").status_code == 200


def test_not_ready_while_the_store_refuses(url: str, daemon: FakeDaemon) -> None:
    daemon.health.job_ended("judge", "store")

    assert patient.get(f"{url}/-/ready").status_code == 503
    assert "the store takes no writes" in patient.get(url).text


def test_a_hung_loop_is_not_healthy() -> None:
    seconds = iter([0.0, 10_000.0, 10_000.0])
    daemon = FakeDaemon(health=Health(monotonic=lambda: next(seconds)))
    daemon.health.scheduled("judge", 60)
    with serve_pages(daemon, Http(port=0)) as served:
        answer = patient.get(f"{served.url}/-/healthy")

    assert (answer.status_code, answer.text) == (503, "hung: judge\n")


def test_reloading_is_off_unless_it_is_allowed(daemon: FakeDaemon) -> None:
    asked: list[bool] = []
    with serve_pages(daemon, Http(port=0), on_reload=lambda: asked.append(True)) as served:
        answer = patient.post(f"{served.url}/-/reload")

    assert (answer.status_code, asked) == (403, [])


def test_an_allowed_reload_is_asked_for_by_post_and_by_no_web_page(daemon: FakeDaemon) -> None:
    asked: list[bool] = []
    allowed = Http(port=0, allow_reload=True)
    with serve_pages(daemon, allowed, on_reload=lambda: asked.append(True)) as served:
        address = f"{served.url}/-/reload"
        answers = [
            patient.get(address),
            patient.post(address, headers={"Origin": "https://evil.example"}),
            patient.post(address),
        ]

    assert [answer.status_code for answer in answers] == [405, 403, 202]
    assert asked == [True]


@pytest.mark.parametrize(("bytes_", "status"), [(BODY_BYTES, 405), (BODY_BYTES + 1, 413)], ids=["at", "above"])
def test_a_body_is_limited(url: str, bytes_: int, status: int) -> None:
    said = raw(url, f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {bytes_}\r\n\r\n".encode())

    assert said.startswith(f"HTTP/1.0 {status} ".encode())


@pytest.mark.parametrize("header", ["Content-Length: -1", "Content-Length: x", "Transfer-Encoding: chunked"])
def test_a_body_of_unknown_length_is_refused(url: str, header: str) -> None:
    assert b" 413 " in raw(url, f"POST / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode()).partition(b"\r\n")[0]


def test_headers_are_limited_together(url: str) -> None:
    many = "".join(f"X-{i}: {'y' * 100}\r\n" for i in range(90))

    assert len(many) > HEAD_BYTES
    assert b" 431 " in raw(url, f"GET / HTTP/1.1\r\n{many}\r\n".encode()).partition(b"\r\n")[0]


def test_an_endless_request_line_is_refused(url: str) -> None:
    assert raw(url, b"GET /" + b"x" * (HEAD_BYTES - 5)).startswith(b"431 ")


def test_noise_gets_an_answer_or_none_but_ends_nothing(url: str) -> None:
    for noise in (b"\x16\x03\x01\x02\x00\x01\x00", b"\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 100 + b"\r\n"):
        answer = raw(url, noise + b"\r\n\r\n")
        assert b"<" not in answer
        assert b"Python" not in answer

    assert patient.get(f"{url}/-/healthy").status_code == 200


def test_a_slow_caller_is_cut_off(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillfit.http.REQUEST_S", 0.2)
    with serve_pages(daemon, Http(port=0)) as served:
        assert raw(served.url, b"GET / HT") == b""
        monkeypatch.setattr("stillfit.http.REQUEST_S", 60.0)  # the next caller is not slow, only the machine may be
        assert patient.get(f"{served.url}/-/healthy").status_code == 200


def test_more_callers_than_there_is_room_for_wait_their_turn(url: str) -> None:
    with ThreadPoolExecutor(AT_ONCE * 2) as threads:
        answers = list(threads.map(lambda _: patient.get(f"{url}/-/healthy").status_code, range(AT_ONCE * 3)))

    assert answers == [200] * AT_ONCE * 3


def test_two_scrapes_at_once_show_the_same_view(url: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(lambda _: patient.get(f"{url}/metrics").text, range(16)))

    fleet = {"\n".join(line for line in text.splitlines() if not line.startswith("process_")) for text in texts}
    assert len(fleet) == 1


def test_a_defect_is_told_to_the_log_and_not_to_the_caller(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> str:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(pages, "status_page", broken)
    with structlog.testing.capture_logs() as logged:
        answer = patient.get(url)

    assert (answer.status_code, answer.text) == (500, "stillfit could not draw this page; its log says why\n")
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["a page could not be drawn"]


def test_a_taken_port_says_what_to_do(url: str, daemon: FakeDaemon) -> None:
    port = int(url.rpartition(":")[2])

    assert ListenError.exit_code == 4
    with (
        pytest.raises(ListenError, match=rf"http: cannot listen on 127\.0\.0\.1:{port} .*: stop what uses it, or set"),
        serve_pages(FakeDaemon(), Http(port=port)),
    ):
        pytest.fail("it listened")


def test_an_address_that_is_not_ours_says_what_to_do() -> None:
    with (
        pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.1:0"),
        serve_pages(FakeDaemon(), Http(host="192.0.2.1", port=0)),
    ):
        pytest.fail("it listened")


def test_the_pages_end_with_their_block(daemon: FakeDaemon) -> None:
    with serve_pages(daemon, Http(port=0)) as served:
        pass

    with pytest.raises(httpx.ConnectError):
        patient.get(served.url)


def test_a_view_is_swapped_whole(url: str, daemon: FakeDaemon) -> None:
    before = patient.get(url).text
    daemon.view = replace(VIEW, instance="another")

    assert ("another" in before, "another" in patient.get(url).text) == (False, True)
