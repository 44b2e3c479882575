"""Write dead letters: one per reading and metric, or per reading."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, instant_array, text_array, uuid_array
from domain.telemetry.model.columns import DeadLetterDraft, Readings
from graph.texts import text_clean

_NAMESPACE = uuid.UUID("5a0c2f0e-8f3c-5c55-9d0b-0d3c4b6f7a11")

# What is quoted in a message is cut where it is written; this holds off what was not.
_MESSAGE_CHARS_MAX = 2_000

_WRITE = text(
    """
    INSERT INTO dead_letters AS d (organization_id, id, raw_id, device_id, stage, metric, code, message, payload,
        received_at, attempts, failed_at)
    SELECT :organization_id, u.i, u.r, u.d, :stage, u.m, u.c, u.s, u.p::json, u.t, 1, :now
    FROM unnest(:ids, :raw_ids, :devices, :metrics, :codes, :messages, :payloads, :received)
        AS u (i, r, d, m, c, s, p, t)
    ON CONFLICT (organization_id, raw_id, stage, metric) DO UPDATE
        SET code = excluded.code, message = excluded.message, payload = excluded.payload,
            attempts = d.attempts + 1, failed_at = excluded.failed_at, resolved_at = NULL
    """
)
_RESOLVE = text(
    """
    UPDATE dead_letters SET resolved_at = :now
    WHERE organization_id = :organization_id AND raw_id = ANY(:raw_ids) AND stage = :stage AND resolved_at IS NULL
    """
)


def dead_letters_write(
    session: Session,
    *,
    organization_id: int,
    stage: str,
    readings: Readings,
    dead_letters: Sequence[DeadLetterDraft],
    now: datetime,
) -> None:
    """Write the dead letters of a stage; one that is there already counts another attempt and is open again."""
    if not dead_letters:
        return
    arrays_enable(session)
    places = [dead_letter.reading for dead_letter in dead_letters]
    raw_ids = readings.raw_ids[places].tolist()
    session.execute(
        _WRITE,
        {
            "organization_id": organization_id,
            "stage": stage,
            "now": now,
            "ids": uuid_array(
                b"".join(
                    dead_letter_id(
                        organization_id=organization_id, raw_id=raw_id, stage=stage, metric=dead_letter.metric
                    ).bytes
                    for raw_id, dead_letter in zip(raw_ids, dead_letters, strict=True)
                )
            ),
            "raw_ids": bigint_array(raw_ids),
            "devices": uuid_array(b"".join(readings.devices[i] for i in places)),
            "metrics": text_array(
                None if dead_letter.metric is None else dead_letter.metric.encode(errors="backslashreplace")
                for dead_letter in dead_letters
            ),
            "codes": text_array(dead_letter.code.encode() for dead_letter in dead_letters),
            "messages": text_array(
                text_clean(dead_letter.message, max_chars=_MESSAGE_CHARS_MAX).encode() for dead_letter in dead_letters
            ),
            "payloads": text_array(_payload(dead_letter.payload) for dead_letter in dead_letters),
            "received": instant_array(readings.received[places]),
        },
    )


def dead_letters_mirror(
    *, organization_id: int, stage: str, readings: Readings, dead_letters: Sequence[DeadLetterDraft]
) -> list[bytes]:
    """Return dead letters as messages for their stream, as JSON; times in milliseconds since the epoch."""
    messages = []
    for dead_letter in dead_letters:
        raw_id = int(readings.raw_ids[dead_letter.reading])
        messages.append(
            orjson.dumps(
                {
                    "id": dead_letter_id(
                        organization_id=organization_id, raw_id=raw_id, stage=stage, metric=dead_letter.metric
                    ),
                    "organizationId": organization_id,
                    "rawId": raw_id,
                    "deviceId": uuid.UUID(bytes=readings.devices[dead_letter.reading]),
                    "stage": stage,
                    "metric": None
                    if dead_letter.metric is None
                    else dead_letter.metric.encode(errors="replace").decode(),
                    "code": dead_letter.code,
                    "message": dead_letter.message.encode(errors="replace").decode(),
                    "receivedAt": int(readings.received[dead_letter.reading]) // 1000,
                }
            )
        )
    return messages


def dead_letters_resolve(
    session: Session, *, organization_id: int, stage: str, raw_ids: Sequence[int], now: datetime
) -> None:
    """Close the open dead letters of readings."""
    arrays_enable(session)
    session.execute(
        _RESOLVE,
        {"organization_id": organization_id, "stage": stage, "raw_ids": bigint_array(raw_ids), "now": now},
    )


def dead_letter_id(*, organization_id: int, raw_id: int, stage: str, metric: str | None) -> uuid.UUID:
    """Return the id of a dead letter: deterministic, so that writing it again changes nothing."""
    about = f"{organization_id}/{raw_id}/{stage}/" + ("" if metric is None else f"={metric}")
    return uuid.uuid5(_NAMESPACE, about)


def _payload(payload: Any) -> bytes:
    try:
        return orjson.dumps(payload)
    except TypeError:
        return json.dumps(payload).encode()
