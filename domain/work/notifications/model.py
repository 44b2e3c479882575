"""Notifications: calls of webhooks about events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class NotificationState(StrEnum):
    """State of a notification. DEAD: it failed as often as it may."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True)
class Notification:
    """A call of a webhook. id: also of the delivery, the same at every try. Times UTC.

    event_id: None for a test. destination: what it is queued by, host:port. attempts: calls so far, with
    the one under way.
    """

    id: UUID
    event_id: UUID | None
    url: str
    payload: Mapping[str, Any]
    state: NotificationState
    attempts: int
    due_at: datetime
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
    destination: str
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """When, and by whom, the secret was last rotated. previous_until: how long the previous one signs too."""

    id: UUID
    rotated_at: datetime
    rotated_by: str
    previous_until: datetime | None


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """The current signing secrets. previous: the one before, for a while after a rotation."""

    current: str
    previous: str | None
