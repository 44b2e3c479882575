"""The snapshots of one process: kept current at every look, bounded in memory, the least used dropped first.

A reader asks at its organization's clock, which it reads in its own transaction: what was committed before is in the
answer, however short ago and by whatever process. A transaction that has changed the graph itself walks in SQL, so
that it sees its own writes and nobody else does.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from graph.errors import ArgusError
from graph.walk.snapshot.load import delta_load, edges_count, snapshot_load
from graph.walk.snapshot.model import Snapshot

BYTES_MAX_DEFAULT: Final = 512 * 1024 * 1024
# A graph of more edges is read by a separate thread, while its readers walk in SQL.
INLINE_EDGES_MAX: Final = 20_000
# Where a session keeps them, put there by what opens sessions.
INFO_KEY: Final = "graph_snapshots"

_log = logging.getLogger(__name__)

SessionOpener = Callable[[int], AbstractContextManager[Session]]


@dataclass(slots=True)
class _Place:
    """One organization's. lock: held by the one who reads from the database. loading: a thread is at it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot | None = None
    loading: bool = False
    # Larger than all that may be kept: not tried again until it has changed this often.
    refused_until: int = -1


class Snapshots:
    """The snapshot cache of one process.

    opener: opens a transaction for an organization, for the thread that reads a large graph; None: all are read by
    the thread that needs it. bytes_max: of all snapshots together; one larger than that is not kept.
    """

    def __init__(self, *, opener: SessionOpener | None = None, bytes_max: int = BYTES_MAX_DEFAULT) -> None:
        self._opener = opener
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._places: OrderedDict[int, _Place] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Bytes of memory the snapshots take."""
        with self._lock:
            return sum(place.snapshot.nbytes for place in self._places.values() if place.snapshot is not None)

    @property
    def organization_ids(self) -> list[int]:
        """Return the organizations of the snapshots, the least used first."""
        with self._lock:
            return [key for key, place in self._places.items() if place.snapshot is not None]

    def get(self, session: Session, *, organization_id: int, revision: int, recorded: datetime) -> Snapshot | None:
        """Return a snapshot that is at least of this revision; None where none is available now.

        revision, recorded: the organization's clock as the transaction reads it, its own change not begun.
        """
        place = self._place(organization_id)
        snapshot = place.snapshot
        if snapshot is not None and (snapshot.revision, snapshot.recorded) == (revision, recorded):
            return snapshot
        if place.loading or revision < place.refused_until:
            return None
        with place.lock:
            snapshot = place.snapshot
            if snapshot is None:
                snapshot = self._first(session, organization_id, place)
            elif (snapshot.revision, snapshot.recorded) != (revision, recorded):
                snapshot = self._current(session, organization_id, snapshot)
            self._keep(place, snapshot)
        return snapshot

    def _place(self, organization_id: int) -> _Place:
        with self._lock:
            place = self._places.setdefault(organization_id, _Place())
            self._places.move_to_end(organization_id)
            return place

    def _first(self, session: Session, organization_id: int, place: _Place) -> Snapshot | None:
        if self._opener is not None:
            most = INLINE_EDGES_MAX + 1
            if edges_count(session, organization_id=organization_id, most=most) == most:
                place.loading = True
                threading.Thread(
                    target=self._load, args=(self._opener, organization_id, place), name="snapshot", daemon=True
                ).start()
                return None
        return snapshot_load(session, organization_id=organization_id)

    def _load(self, opener: SessionOpener, organization_id: int, place: _Place) -> None:
        try:
            with opener(organization_id) as session:
                snapshot = snapshot_load(session, organization_id=organization_id)
            with place.lock:
                self._keep(place, snapshot)
        except (SQLAlchemyError, ArgusError):
            # Readers walk in SQL, and the next one has it tried again.
            _log.exception("the graph of organization %s could not be read into memory", organization_id)
        finally:
            place.loading = False

    def _current(self, session: Session, organization_id: int, snapshot: Snapshot) -> Snapshot:
        delta = delta_load(session, organization_id=organization_id, since=snapshot.recorded)
        # A clock that stops or goes back is another database's: one restored from a backup.
        doubtful = delta is None or delta.recorded < snapshot.recorded or delta.revision < snapshot.revision
        same = delta is not None and delta.revision == snapshot.revision
        if delta is None or doubtful or (same and delta.recorded != snapshot.recorded):
            return snapshot_load(session, organization_id=organization_id)
        return snapshot if same else snapshot.applied(delta)

    def _keep(self, place: _Place, snapshot: Snapshot | None) -> None:
        """Take a snapshot in, and drop the least used until all fit."""
        if snapshot is not None and snapshot.nbytes > self._bytes_max:
            _log.warning("a graph of %s edges takes more memory than all snapshots may", snapshot.edges)
            place.refused_until, snapshot = snapshot.revision + _REFUSED_CHANGES, None
        place.snapshot = snapshot
        with self._lock:
            total = sum(item.snapshot.nbytes for item in self._places.values() if item.snapshot is not None)
            for item in list(self._places.values()):
                if total <= self._bytes_max:
                    break
                if item is not place and item.snapshot is not None:
                    total -= item.snapshot.nbytes
                    item.snapshot = None


# A graph too large may have shrunk after so many changes.
_REFUSED_CHANGES: Final = 1_000
