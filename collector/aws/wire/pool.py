"""The threads of one source, and how a stop reaches whoever uses them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Generic, ParamSpec, TypeVar

from collector.aws.wire.limiter import StoppedError

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Task(Generic[_T]):
    """Work that was handed in."""

    def __init__(self, future: Future[_T]) -> None:
        self._future = future

    def result(self) -> _T:
        """Wait for it. Raises what it raised, and StoppedError when it will never be done."""
        try:
            return self._future.result()
        except CancelledError as error:
            raise StoppedError from error

    def cancel(self) -> None:
        self._future.cancel()


class Pool:
    def __init__(self, workers: int, name: str) -> None:
        self.workers = workers
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)

    def submit(self, work: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> Task[_T]:
        """Raises StoppedError after `stop`."""
        try:
            return Task(self._executor.submit(work, *args, **options))
        except RuntimeError as error:  # how an executor says that it was shut down
            raise StoppedError from error

    def stop(self) -> None:
        """Drop what has not begun, wait for what has."""
        self._executor.shutdown(wait=True, cancel_futures=True)
