"""Record when each device was last heard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import instant_array, uuid_array
from domain.telemetry.model.columns import Readings

_PRESENCE = text(
    """
    INSERT INTO device_presence AS d (organization_id, device_id, last_seen_at)
    SELECT :organization_id, u.d, u.t FROM unnest(:devices, :received) AS u (d, t)
    ON CONFLICT (organization_id, device_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
        WHERE excluded.last_seen_at > d.last_seen_at
    """
)


def presence_write(session: Session, *, organization_id: int, readings: Readings, chosen: NDArray[np.intp]) -> None:
    """Record the devices of the chosen readings as heard at the time of receipt. One statement."""
    received_us: dict[bytes, int] = {}
    for place, received in zip(chosen.tolist(), readings.received[chosen].tolist(), strict=True):
        device = readings.devices[place]
        if received_us.get(device, -1) < received:
            received_us[device] = received
    devices = sorted(received_us)
    session.execute(
        _PRESENCE,
        {
            "organization_id": organization_id,
            "devices": uuid_array(b"".join(devices)),
            "received": instant_array([received_us[device] for device in devices]),
        },
    )
