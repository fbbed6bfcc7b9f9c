"""The HTTP base of all stand-ins: what arrives, how answers misbehave, and that nothing is left afterwards."""

import http.client
import socket
import threading

import pytest

from stillfit.standins.server import Delivery, Request, Response, StandInDefectError, StandInServer


def echo(request: Request) -> Response:
    text = f"{request.method} {request.path}?{request.query} {request.headers.get('x-name')} ".encode() + request.body
    deliveries = {"/reset": Delivery.RESET, "/truncated": Delivery.TRUNCATED, "/hang": Delivery.HANG}
    return Response(
        status=201, headers={"X-Answer": "yes"}, body=text, delivery=deliveries.get(request.path, Delivery.WHOLE)
    )


def exchange(server: StandInServer, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(raw)
        received = b""
        while piece := connection.recv(4096):
            received += piece
    return received


def test_a_request_arrives_whole_and_the_connection_is_kept() -> None:
    with StandInServer(echo) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        for _ in range(2):
            connection.request("POST", "/a?b=c", body=b"data", headers={"X-Name": "me"})
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("X-Answer"), answer.read()) == (201, "yes", b"POST /a?b=c me data")
        connection.close()


def test_a_chunked_body_is_joined() -> None:
    head = b"POST /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with StandInServer(echo) as server:
        assert exchange(server, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").endswith(b"POST /c? None abcde")


@pytest.mark.parametrize(
    ("length", "status"),
    [(b"-1", b"400"), (b"many", b"400"), (b"16777217", b"413")],
    ids=["negative", "word", "too long"],
)
def test_a_body_that_cannot_be_measured_is_refused(length: bytes, status: bytes) -> None:
    with StandInServer(echo) as server:
        answer = exchange(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 " + status)


def test_a_truncated_answer_breaks_off_in_the_middle() -> None:
    with StandInServer(echo) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/truncated")
        with pytest.raises(http.client.IncompleteRead):
            connection.getresponse().read()
        connection.close()


def test_a_reset_is_a_reset() -> None:
    with StandInServer(echo) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/reset")
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        connection.close()


def test_stop_ends_hanging_and_idle_connections_and_every_thread() -> None:
    before, arrived = set(threading.enumerate()), threading.Event()

    def hang(request: Request) -> Response:
        arrived.set()
        return echo(request)

    server = StandInServer(hang).start()
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    hanging = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    hanging.sendall(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
    assert arrived.wait(60)
    server.stop()

    with idle, hanging:
        assert (idle.recv(1), hanging.recv(1)) == (b"", b"")
    assert set(threading.enumerate()) <= before


def test_stop_may_come_before_start_and_twice() -> None:
    server = StandInServer(echo)
    server.stop()
    server.stop()

    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=60)


def test_settle_waits_for_what_a_client_asked_before_it_went() -> None:
    may_answer, done = threading.Event(), threading.Event()

    def slow(request: Request) -> Response:
        assert may_answer.wait(60)
        done.set()
        return echo(request)

    with StandInServer(slow) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as gone:
            gone.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        threading.Timer(0.1, may_answer.set).start()
        server.settle()

        assert done.is_set()


def broken(_: Request) -> Response:
    raise ValueError("the stand-in's own mistake")


def test_a_stand_in_that_breaks_says_so_at_its_end() -> None:
    def use() -> None:
        with StandInServer(broken) as server:
            exchange(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    with pytest.raises(StandInDefectError, match="own mistake"):
        use()


def test_a_failing_test_learns_that_the_stand_in_failed_first() -> None:
    def use() -> None:
        with StandInServer(broken) as server:
            exchange(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            raise KeyError("what the test saw")

    with pytest.raises(KeyError) as seen:
        use()

    assert "own mistake" in seen.value.__notes__[0]


def test_settle_gives_a_client_that_stays_up() -> None:
    with (
        StandInServer(echo) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=60),
        pytest.raises(TimeoutError, match="a client is still connected after 0 s"),
    ):
        server.settle(within_s=0)
