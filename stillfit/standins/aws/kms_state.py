"""The keys of KMS: which there are, and who manages each."""

import threading
from typing import Literal

Manager = Literal["AWS", "CUSTOMER"]


class KmsState:
    """Thread-safe."""

    def __init__(self) -> None:
        self._managers: dict[str, Manager] = {}
        self._lock = threading.Lock()

    def put_key(self, arn: str, manager: Manager) -> None:
        """Create a key. AWS manages those with an alias like aws/dynamodb."""
        with self._lock:
            self._managers[arn] = manager

    def manager(self, arn: str) -> Manager | None:
        """None where there is no such key."""
        with self._lock:
            return self._managers.get(arn)
