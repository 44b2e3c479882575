"""Signatures of webhook calls, and delays of retries."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from domain.work.notifications.signing import ATTEMPTS_MAX, retry_delay, signature


def test_the_signature_is_over_time_and_body() -> None:
    made = signature(secret="top secret", timestamp=1_700_000_000, body=b'{"a":1}')
    assert made == "sha256=" + hmac.new(b"top secret", b'1700000000.{"a":1}', hashlib.sha256).hexdigest()
    assert made != signature(secret="top secret", timestamp=1_700_000_001, body=b'{"a":1}')


def test_delays_double_up_to_two_hours_and_are_spread_by_the_id_alone() -> None:
    ids = [UUID(int=number) for number in range(200)]
    for attempts, whole_s in ((1, 5), (2, 10), (5, 80), (11, 5_120), (12, 7_200), (10_000, 7_200)):
        delays = [retry_delay(notification_id=notification_id, attempts=attempts) for notification_id in ids]
        assert timedelta(seconds=whole_s / 2) <= min(delays) < timedelta(seconds=whole_s * 0.55)
        assert timedelta(seconds=whole_s * 0.95) < max(delays) < timedelta(seconds=whole_s)
        assert delays == [retry_delay(notification_id=notification_id, attempts=attempts) for notification_id in ids]


def test_all_tries_take_most_of_a_day() -> None:
    all_s = sum(
        retry_delay(notification_id=UUID(int=7), attempts=notification_id).total_seconds()
        for notification_id in range(1, ATTEMPTS_MAX)
    )
    assert 9 * 3_600 < all_s < 24 * 3_600
