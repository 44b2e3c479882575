"""Sign webhook calls, and compute the delay of retries. Pure."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.work.notifications.model import SigningSecrets

# After so many calls that failed a notification is dead: with the delays below, after about a day.
ATTEMPTS_MAX: Final = 20
_DELAY_FIRST_S: Final = 5.0
_DELAY_LAST_S: Final = 2 * 3_600.0


def signature(*, secret: str, timestamp: int, body: bytes) -> str:
    """Return the value of X-Argus-Signature: sha256=HMAC-SHA256(secret, TIMESTAMP.BODY), in hexadecimal.

    timestamp: Unix seconds, as in X-Argus-Timestamp.

    >>> signature(secret="s", timestamp=1, body=b"{}")[:15]
    'sha256=2ca8a4fa'
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


def signature_headers(*, secrets: SigningSecrets, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers by which a receiver knows a call: with the secret before too, while that is accepted."""
    headers = {
        "X-Argus-Timestamp": str(timestamp),
        "X-Argus-Signature": signature(secret=secrets.current, timestamp=timestamp, body=body),
    }
    if secrets.previous is not None:
        headers["X-Argus-Signature-Previous"] = signature(secret=secrets.previous, timestamp=timestamp, body=body)
    return headers


def retry_delay(*, notification_id: UUID, attempts: int) -> timedelta:
    """Return how long to wait after so many calls that failed, from 1: doubled each time, and spread.

    Spread over the upper half by the notification's own id, so that many that failed together do not come back
    together.
    """
    whole_s = min(_DELAY_FIRST_S * 2.0 ** min(attempts - 1, 30), _DELAY_LAST_S)
    drawn = hashlib.sha256(notification_id.bytes + attempts.to_bytes(4)).digest()
    return timedelta(seconds=whole_s * (0.5 + 0.5 * int.from_bytes(drawn[:4]) / 2**32))
