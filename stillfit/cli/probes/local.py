"""This machine: the interpreter, the event loop of the Cassandra driver, the store, the port of the pages."""

from __future__ import annotations

import errno
import platform
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import sqlalchemy as sa

from stillfit.cli.probes.probe import Mark, Probe, Result, failed, ok
from stillfit.clock import SystemClock
from stillfit.config import Config, Http
from stillfit.errors import StoreError
from stillfit.store.outbox import OutboxState
from stillfit.store.store import Store

ANSWER_S = 2.0


def probes(config: Config) -> tuple[Probe, ...]:
    return (
        Probe(area="this machine", run=lambda: _machine(needs_cassandra=bool(config.cassandra))),
        Probe(area="store", run=lambda: _store(config.store)),
        Probe(area="pages", run=lambda: _pages(config.http), deadline_s=10.0),
    )


def _machine(*, needs_cassandra: bool) -> Iterator[Result]:
    yield ok("python", f"{platform.python_version()}, {ssl.OPENSSL_VERSION}")
    from cassandra import DependencyException

    try:
        from cassandra.cluster import Cluster
    except DependencyException as error:
        fix = "use a Python for which cassandra-driver has a wheel (with libev)"
        yield failed("cassandra driver", f"has no event loop here: {error}", fix, essential=needs_cassandra)
        return
    yield ok("cassandra driver", f"event loop {Cluster.connection_class.__name__}")


def _store(url: str) -> Iterator[Result]:
    missing = _not_made_yet(url)
    if missing is not None:
        yield missing
        return
    try:
        with closing(Store.open(url, clock=SystemClock(), exclusive=False)) as store:
            subjects, advice, counts = len(store.subjects()), len(store.advice()), store.outbox.counts()
    except StoreError as error:
        yield failed("open", str(error))
        return
    yield ok("open", f"opened and migrated: {subjects} subjects, {advice} advice records")
    lost = counts.get(OutboxState.FAILED, 0)
    if lost:
        fix = "the status page names them; mend slack: and they stay in `stillfit advice list`"
        yield failed("outbox", f"{lost} messages could not be delivered and were given up", fix, essential=False)


def _not_made_yet(url: str) -> Result | None:
    """A SQLite store that the first start will make, if it can."""
    parsed = sa.make_url(url)
    path = Path(parsed.database or "").absolute()
    if parsed.get_backend_name() != "sqlite" or path.exists():
        return None
    folder = path.parent
    if not folder.is_dir():
        return failed("open", f"the folder {folder} does not exist", f"mkdir -p {folder}, owned by stillfit's user")
    try:
        probe = folder / f".{path.name}.doctor"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return failed("open", f"the folder {folder} cannot be written: {error.strerror}", "give it to stillfit's user")
    return ok("open", f"none yet: the first start makes it at {path}")


def _pages(settings: Http) -> Iterator[Result]:
    where = f"{settings.host}:{settings.port}"
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        yield (
            _taken(settings)
            if error.errno == errno.EADDRINUSE
            else failed("port", f"{where} cannot be listened on: {error.strerror}", "change http.host or http.port")
        )
        return
    yield ok("port", f"{where} is free")
    if settings.host not in {"127.0.0.1", "localhost", "::1"}:
        yield Result(
            name="reach",
            mark=Mark.WARNING,
            sentence=f"the pages on {where} have no password and can be reached from other machines",
            fix="put them behind a proxy that asks who it is, or listen on 127.0.0.1",
        )


def _taken(settings: Http) -> Result:
    """The port is in use: by a daemon of ours, which is well, or by something else."""
    where = f"{settings.host}:{settings.port}"
    try:
        answer = httpx.get(f"http://{where}/metrics", timeout=ANSWER_S)
    except httpx.HTTPError:
        answer = None
    if answer is not None and "stillfit_" in answer.text:
        return ok("port", f"a stillfit daemon answers on {where}")
    return failed("port", f"{where} is taken by another program", "end it, or change http.port")
