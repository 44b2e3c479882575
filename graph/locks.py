"""The first keys of all advisory locks of transactions, in one place: no two may be the same.

The second key is the organization's id, but for DERIVE_LOCK, whose second key is a slot of entities.
"""

from __future__ import annotations

from typing import Final

# Whoever derives anything holds the first, shared; a change that anything derived may depend on takes it exclusively.
# The second is held by every change, and shared by readers of what was known at some instant: changes are recorded one
# after the other. Both are taken in this order.
ORGANIZATION_LOCK: Final = 0x41524755
CHANGE_LOCK: Final = 0x41524743
# Held by whoever applies the actions of an organization's events.
ACT_LOCK: Final = 0x41435453
# Held by whoever derives entities of a slot.
DERIVE_LOCK: Final = 0x44455249
# Held by whoever computes an organization's buckets of rollups, and of health.
ROLLUPS_LOCK: Final = 0x42554B54
HEALTH_LOCK: Final = 0x48454C54
# Held, shared, by whoever appends readings of an organization (migrations/functions/organizations.sql), and exclusively
# by whoever deletes it.
INGEST_LOCK: Final = 0x494E4754
