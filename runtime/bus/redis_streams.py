"""The bus on Redis or Valkey: streams with consumer groups. Every call is bounded in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")

_PAGE: Final = 1_000

CONNECT_TIMEOUT_S = 1.0
# A call that waits for entries waits that much less than the socket does.
REPLY_TIMEOUT_S = 5.0
_FIELD = b"b"
# To connect, and to answer.
_PROBE_TIMEOUT_S = 1.0
_PROBE_KEY = "argus:ready"

Entry = tuple[str, bytes]


def bus_connect(url: str) -> redis.Redis:
    """Return a client with bounded timeouts that tries once more on a connection that has died.

    It connects when first used.
    """
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=REPLY_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
        protocol=2,
        health_check_interval=30,
    )


def bus_trouble(url: str) -> str | None:
    """Return why the bus accepts no entries, by a small write; None: it does. Takes 2 s at most."""
    client = redis.Redis.from_url(
        url,
        socket_connect_timeout=_PROBE_TIMEOUT_S,
        socket_timeout=_PROBE_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    try:
        with client:
            # Where the server is out of memory, read-only, or cannot save, it still answers to reads.
            client.set(_PROBE_KEY, b"", ex=60)
    except (redis.ConnectionError, redis.TimeoutError):
        return "does not answer"
    except redis.RedisError as error:
        return f"refuses writes ({error})"
    return None


class RedisStreams:
    """`domain.base.bus.Bus` on one Redis or Valkey. Threads may share it; do not carry it over a fork.

    Every method raises ConnectionError (built in) where the server is away, too slow, or answers with an error.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def publish(self, stream: str, payloads: Sequence[bytes]) -> int:
        """Append entries in order, in one round trip; return how many entries the stream then holds."""
        with _translated(), self._client.pipeline(transaction=False) as pipeline:
            for payload in payloads:
                pipeline.xadd(stream, {_FIELD: payload})
            pipeline.xlen(stream)
            return int(pipeline.execute()[-1])

    def group_ensure(self, stream: str, group: str) -> None:
        """Make the group where it is missing; it begins at the oldest entry kept."""
        with _translated():
            try:
                self._client.xgroup_create(stream, group, id="0", mkstream=True)
            except redis.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def group_read(self, stream: str, group: str, *, consumer: str, count: int, block_ms: int) -> Sequence[Entry]:
        """Return the next entries that no consumer of the group has read; wait up to `block_ms` for the first."""

        def read() -> Any:
            return self._client.xreadgroup(group, consumer, {stream: ">"}, count=count, block=block_ms or None)

        reply = self._with_group(stream, group, read)
        return _entries(reply[0][1]) if reply else []

    def group_claim(self, stream: str, group: str, *, consumer: str, idle_ms: int, count: int) -> Sequence[Entry]:
        """Take over entries pending with any consumer for at least `idle_ms`, oldest first."""

        def claim() -> Any:
            return self._client.xautoclaim(stream, group, consumer, min_idle_time=idle_ms, count=count)

        return _entries(self._with_group(stream, group, claim)[1])

    def group_ack(self, stream: str, group: str, ids: Sequence[str]) -> None:
        """Mark entries as done."""
        with _translated():
            self._client.xack(stream, group, *ids)

    def oldest_waiting_ms(self, stream: str, group: str) -> int | None:
        """Return when the oldest entry not yet acknowledged was appended, in ms since the epoch; None: none waits."""

        def oldest() -> str | None:
            return self._oldest_waiting(stream, group)

        pending = self._with_group(stream, group, oldest)
        return None if pending is None else int(pending.partition("-")[0])

    def now_ms(self) -> int:
        """Return the server's time in milliseconds since the Unix epoch."""
        with _translated():
            seconds, micros = self._client.time()
        return seconds * 1000 + micros // 1000

    def length(self, stream: str) -> int:
        """Return how many entries the stream holds."""
        with _translated():
            return int(self._client.xlen(stream))

    def trim(self, stream: str, groups: Sequence[str], *, retention_ms: int) -> int:
        """Remove entries that every group has acknowledged and that are older than `retention_ms`. Return how many."""
        young = f"{self.now_ms() - retention_ms}-0"
        if not groups:
            with _translated():
                return int(self._client.xtrim(stream, minid=young, approximate=False))
        keep_from: list[str] = []
        for group in groups:

            def boundary(group: str = group) -> str:
                # Read first: what is delivered after that is kept.
                delivered = self._delivered(stream, group)
                return self._oldest_waiting(stream, group) or _following(delivered)

            keep_from.append(self._with_group(stream, group, boundary))
        with _translated():
            return int(self._client.xtrim(stream, minid=min([*keep_from, young], key=_order), approximate=False))

    def remove(self, stream: str, *, holding: bytes) -> int:
        """Remove entries whose payload holds these bytes, read by anybody or not. Return how many. Reads them all."""
        removed, after = 0, "-"
        with _translated():
            while page := _entries(self._client.xrange(stream, min=after, count=_PAGE)):
                if ids := [entry_id for entry_id, payload in page if holding in payload]:
                    removed += self._client.xdel(stream, *ids)
                after = f"({page[-1][0]}"
        return removed

    def last_ids(self, streams: Sequence[str]) -> Sequence[str]:
        """Return the id of each stream's newest entry, '0-0' where there is none."""
        ids = []
        for stream in streams:
            entry = self.last_entry(stream)
            ids.append("0-0" if entry is None else entry[0])
        return ids

    def last_entry(self, stream: str) -> Entry | None:
        """Return a stream's newest entry."""
        with _translated():
            reply = _entries(self._client.xrevrange(stream, count=1))
        return reply[0] if reply else None

    def read_after(self, positions: Mapping[str, str], *, count: int, block_ms: int) -> Mapping[str, Sequence[Entry]]:
        """Return entries after the given ids, by stream, without a group; wait up to `block_ms` for the first."""
        with _translated():
            reply = self._client.xread(cast("Any", dict(positions)), count=count, block=block_ms or None)
        return {name.decode(): _entries(entries) for name, entries in cast("Any", reply) or ()}

    def _oldest_waiting(self, stream: str, group: str) -> str | None:
        pending = cast("Any", self._client.xpending(stream, group))
        waiting = [] if not pending["pending"] else [pending["min"].decode()]
        after = _entries(self._client.xrange(stream, min=f"({self._delivered(stream, group)}", count=1))
        waiting += [entry[0] for entry in after]
        return min(waiting, key=_order) if waiting else None

    def _delivered(self, stream: str, group: str) -> str:
        for info in cast("Any", self._client.xinfo_groups(stream)):
            if info["name"] == group.encode():
                return str(info["last-delivered-id"].decode())
        msg = f"NOGROUP {group} at {stream}"
        raise redis.ResponseError(msg)

    def _with_group(self, stream: str, group: str, call: Callable[[], T]) -> T:
        """Call, and once more after making the group, where the server has lost it with its data."""
        with _translated():
            try:
                return call()
            except redis.ResponseError as error:
                if "NOGROUP" not in str(error) and "no such key" not in str(error):
                    raise
        self.group_ensure(stream, group)
        with _translated():
            return call()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn every error of the server into the one kind that callers wait out.

    It may refuse any command at all (MISCONF: its disk is full, OOM, READONLY, LOADING), the PING with which the client
    looks after an idle connection too.
    """
    try:
        yield
    except redis.RedisError as error:
        raise ConnectionError(str(error)) from error


def _entries(reply: Any) -> list[Entry]:
    # An entry that was deleted while it was pending has no fields.
    return [(entry_id.decode(), fields[_FIELD]) for entry_id, fields in reply if fields]


def _following(entry_id: str) -> str:
    """Return the least id after one."""
    milliseconds, number = _order(entry_id)
    return f"{milliseconds}-{number + 1}"


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)
