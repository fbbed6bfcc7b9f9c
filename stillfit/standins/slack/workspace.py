"""What a workspace remembers: channels, posts in order, and a journal on disk that survives any kill."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

BOT = {"user": "U0STANDIN", "bot_id": "B0STANDIN", "app_id": "A0STANDIN", "team": "T0STANDIN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One conversation. A private one that the bot has not joined does not exist for it."""

    id: str
    name: str
    private: bool = False
    archived: bool = False
    joined: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says."""

    text: str = ""
    blocks: tuple[dict[str, Any], ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message as it stands. `thread_ts` is the root it answers, empty for a message of the channel itself."""

    channel: str
    ts: str
    content: Content
    thread_ts: str = ""
    edited: str = ""
    webhook: bool = False


class Workspace:
    """Thread-safe. `now` is in epoch seconds and gives the ts of posts, which never repeat nor go back."""

    def __init__(
        self, channels: Iterable[Channel], *, now: Callable[[], float] = time.time, journal: Path | None = None
    ) -> None:
        self.channels = tuple(channels)
        self._now = now
        self._journal = journal
        self._last = 0
        self._posts: dict[tuple[str, str], Post] = {}
        self._lock = threading.RLock()
        self.version = 0
        """Grows with every change, for pages that look whether there is something new."""
        if journal is not None and journal.exists():
            self._replay(journal)

    def channel(self, reference: str) -> Channel | None:
        """By id, name or #name."""
        name = reference.removeprefix("#")
        return next((one for one in self.channels if reference == one.id or name == one.name), None)

    def post(self, channel: str, content: Content, *, thread_ts: str = "", webhook: bool = False) -> Post:
        with self._lock:
            post = Post(channel=channel, ts=self._next_ts(), content=content, thread_ts=thread_ts, webhook=webhook)
            return self._keep(post)

    def edit(self, before: Post, content: Content) -> Post:
        with self._lock:
            return self._keep(replace(before, content=content, edited=self._next_ts()))

    def delete(self, channel: str, ts: str) -> None:
        """A person removes a message; its thread stays, as it does in Slack."""
        with self._lock:
            self.version += 1
            self._posts.pop((channel, ts), None)
            self._write({"deleted": [channel, ts]})

    def find(self, channel: str, ts: str) -> Post | None:
        with self._lock:
            return self._posts.get((channel, ts))

    def roots(self, channel: str) -> tuple[Post, ...]:
        """Messages of the channel itself, oldest first."""
        with self._lock:
            return tuple(one for one in self._ordered() if one.channel == channel and not one.thread_ts)

    def replies(self, channel: str, ts: str) -> tuple[Post, ...]:
        """The thread under a root, oldest first, without the root."""
        with self._lock:
            return tuple(one for one in self._ordered() if one.channel == channel and one.thread_ts == ts)

    def posts(self) -> tuple[Post, ...]:
        """Everything, oldest first."""
        with self._lock:
            return tuple(self._ordered())

    def _ordered(self) -> list[Post]:
        return list(self._posts.values())  # ts only grows, an edit keeps its place

    def _next_ts(self) -> str:
        self._last = max(int(self._now() * 1_000_000), self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def _keep(self, post: Post) -> Post:
        self._write({"post": asdict(post)})
        self._posts[post.channel, post.ts] = post
        self.version += 1
        return post

    def _write(self, entry: dict[str, Any]) -> None:
        if self._journal is None:
            return
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _replay(self, journal: Path) -> None:
        for line in journal.read_text("utf-8").splitlines():
            entry = json.loads(line)
            if "deleted" in entry:
                self._posts.pop(tuple(entry["deleted"]), None)
                continue
            fields = entry["post"]
            content = fields.pop("content")
            content |= {name: tuple(content[name]) for name in ("blocks", "attachments")}
            post = Post(**fields, content=Content(**content))
            self._posts[post.channel, post.ts] = post
            for ts in (post.ts, post.edited or "0.0"):
                self._last = max(self._last, int(ts.replace(".", "")))
