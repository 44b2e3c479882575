"""Cache which devices may send, by the revision of the organization's graph."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from domain.base.transient import is_transient, transient_reason
from domain.telemetry.model.readings import Devices, KnownDevice, ReadingDraft
from graph.change import input_revision
from graph.errors import UnavailableError
from graph.texts import text_nfc
from graph.walk.scopes import scope_bind

# So long may a device that was deleted or revoked still send.
CHECKED_EVERY_S = 0.5
REMEMBERED_MAX = 200_000

_FIND = text(
    """
    SELECT e.id, e.external_id FROM entities e
    WHERE e.organization_id = :organization_id AND e.kind = 'DEVICE' AND e.deleted_at IS NULL
        AND e.status <> 'revoked' AND e.id = ANY(:ids)
    UNION ALL
    SELECT e.id, e.external_id FROM entities e
    WHERE e.organization_id = :organization_id AND e.kind = 'DEVICE' AND e.deleted_at IS NULL
        AND e.status <> 'revoked' AND e.external_id = ANY(:external_ids)
    """
).bindparams(bindparam("ids", type_=ARRAY(PG_UUID(as_uuid=True))), bindparam("external_ids", type_=ARRAY(Text)))

_SEEN = text("SELECT id FROM entities WHERE organization_id = :organization_id AND id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(PG_UUID(as_uuid=True)))
)


def device_partition(device_id: UUID, *, partitions: int) -> int:
    """Return the partition of a device's streams: the same for ever, while there are as many partitions."""
    return zlib.crc32(device_id.bytes) % partitions


@dataclass(slots=True)
class _Remembered:
    revision: int = -1
    checked_s: float = float("-inf")
    by_id: dict[UUID, KnownDevice] = field(default_factory=dict)
    by_external_id: dict[str, KnownDevice] = field(default_factory=dict)

    def select(self, ids: Mapping[str, UUID], external_ids: Collection[str]) -> Devices:
        """Return the cached devices of these names."""
        return Devices(
            {name: self.by_id[identity] for name, identity in ids.items() if identity in self.by_id},
            {name: self.by_external_id[name] for name in external_ids if name in self.by_external_id},
        )


class DeviceDirectory:
    """The devices of all organizations that have lately sent. One per process; any thread may use it.

    read: opens a transaction of the API's role for an organization. monotonic_s: a clock that never goes back.
    What is remembered holds while nothing but activities changes in the organization, which is checked at most twice a
    second; a device not found is looked up every time.
    """

    def __init__(
        self,
        *,
        read: Callable[[int], AbstractContextManager[Session]],
        partitions: int,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._read = read
        self._partitions = partitions
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._organizations: dict[int, _Remembered] = {}

    def resolve(
        self,
        readings: Sequence[ReadingDraft],
        *,
        organization_id: int,
        own_device_id: UUID | None = None,
        under: Collection[UUID] | None = None,
    ) -> Devices:
        """Return those of the devices the readings name, and of the caller's own, that exist and may send.

        under: only those that lie below these entities now. Raises UnavailableError where the database is away.
        """
        named = {reading.device_id for reading in readings if reading.device_id is not None}
        ids = {name: identity for name in named if (identity := _identity(name)) is not None}
        if own_device_id is not None:
            ids[str(own_device_id)] = own_device_id
        # Each once: readings of one call mostly name a few devices.
        external = {reading.external_id for reading in readings}
        external_ids = {text_nfc(name) for name in external if name is not None and _is_text(name)}
        devices = self.find(ids, external_ids, organization_id=organization_id)
        return devices if under is None else self._below(devices, under, organization_id=organization_id)

    def find(self, ids: Mapping[str, UUID], external_ids: Collection[str], *, organization_id: int) -> Devices:
        """Return those of these devices that exist and may send. ids: by the name they shall have."""
        now_s = self._monotonic_s()
        with self._lock:
            remembered = self._organizations.setdefault(organization_id, _Remembered())
            is_fresh = now_s - remembered.checked_s < CHECKED_EVERY_S
            known = remembered.select(ids, external_ids)
        if is_fresh and len(known.by_id) == len(ids) and len(known.by_external_id) == len(external_ids):
            return known
        with _unavailable():
            return self._look_up(ids, external_ids, organization_id=organization_id, now_s=now_s)

    def _below(self, devices: Devices, under: Collection[UUID], *, organization_id: int) -> Devices:
        """Return those of the devices that lie below these entities; looked up each time, for edges change."""
        ids = {device.id for by in (devices.by_id, devices.by_external_id) for device in by.values()}
        with _unavailable(), self._read(organization_id) as session:
            scope_bind(session, organization_id=organization_id, under=under)
            seen = set(session.scalars(_SEEN, {"organization_id": organization_id, "ids": list(ids)}))
        return Devices(
            {name: device for name, device in devices.by_id.items() if device.id in seen},
            {name: device for name, device in devices.by_external_id.items() if device.id in seen},
        )

    def _look_up(
        self, ids: Mapping[str, UUID], external_ids: Collection[str], *, organization_id: int, now_s: float
    ) -> Devices:
        with self._read(organization_id) as session:
            # The revision first: what changes in between is then seen as newer than it.
            revision = input_revision(session, organization_id=organization_id)
            with self._lock:
                remembered = self._organizations.setdefault(organization_id, _Remembered())
                if remembered.revision != revision or len(remembered.by_id) > REMEMBERED_MAX:
                    remembered = self._organizations[organization_id] = _Remembered(revision)
                remembered.checked_s = now_s
                missing = [identity for identity in ids.values() if identity not in remembered.by_id]
                missing_external = [name for name in external_ids if name not in remembered.by_external_id]
            if missing or missing_external:
                rows = session.execute(
                    _FIND,
                    {"organization_id": organization_id, "ids": missing, "external_ids": missing_external},
                ).all()
                with self._lock:
                    for row in rows:
                        device = KnownDevice(row.id, device_partition(row.id, partitions=self._partitions))
                        remembered.by_id[row.id] = device
                        if row.external_id is not None:
                            remembered.by_external_id[row.external_id] = device
        with self._lock:
            return remembered.select(ids, external_ids)


@contextmanager
def _unavailable() -> Iterator[None]:
    """Raise UnavailableError for errors of a database that is away."""
    try:
        yield
    except SQLAlchemyError as error:
        if is_transient(error):
            raise UnavailableError(f"{transient_reason(error)}. Nothing was kept; try again.") from error
        raise


def _identity(name: str) -> UUID | None:
    try:
        identity = UUID(name)
    except ValueError:
        return None
    # Only the form ids are handed out in: one device, one name.
    return identity if str(identity) == name.lower() else None


def _is_text(name: str) -> bool:
    return "\0" not in name and not any("\ud800" <= c <= "\udfff" for c in name)
