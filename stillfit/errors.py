"""Every error stillfit raises on purpose. A message is a sentence: what, which, and what next."""

from __future__ import annotations

from stillfit.model import GapReason


class StillfitError(Exception):
    """Root of the tree; `exit_code` is what the command line ends with."""

    exit_code = 5


class ConfigError(StillfitError):
    """Mistakes in a file a person wrote. `mistakes` are complete lines: file:line: key: what is wrong, nearest key."""

    exit_code = 3

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class SourceError(StillfitError):
    """A source could not be read. The daemon turns it into a Gap on the source's scope."""

    exit_code = 4

    def __init__(self, message: str, *, reason: GapReason, retryable: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.retryable = retryable


class StoreError(StillfitError):
    """The database refused. `retryable` when it may heal by itself (locked, full, restarting)."""

    exit_code = 4

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class LeaseLostError(StoreError):
    """Another replica took over: this write was refused by its epoch and nothing of it was kept."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


class ListenError(StillfitError):
    """The address of the pages cannot be listened on."""

    exit_code = 4


class DeliveryError(StillfitError):
    """A sink did not take a message."""

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        retry_after_s: float | None = None,
        unknown_outcome: bool = False,
        of_message: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        """True when only a person can mend it."""
        self.retry_after_s = retry_after_s
        self.unknown_outcome = unknown_outcome
        """True when the sink may have taken it (the connection broke after sending): read back before sending again."""
        self.of_message = of_message
        """True when this message is what is wrong, and another may pass; else it is the sink or its settings."""


class UsageError(StillfitError):
    """The command line was used wrongly."""

    exit_code = 2
