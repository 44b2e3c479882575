"""Names of the pipeline's streams, their groups and stages: the one place for them."""

from __future__ import annotations

RAW = "telemetry.raw.v1"
NORM = "telemetry.norm.v1"
DEAD = "telemetry.dlq.v1"

# The stage that reads RAW and writes NORM; its group bears the same name.
NORMALIZE = "normalize"

# By stream: the groups that read it. What every group has acknowledged is removed.
GROUPS = {RAW: (NORMALIZE,), NORM: (), DEAD: ()}

# Streams read without a group (the live feed reads each entry in every process) keep entries for so long: who
# comes later reads the database.
TAIL_KEPT_MS = 30_000
# The mirror of the dead letters is for whoever watches; the table is what counts.
DEAD_KEPT_MS = 3_600_000

# Entries that may wait in one partition of a stream. More are not sent: the sweeper does, from the raw log.
LENGTH_MAX = 5_000


def stream_name(stream: str, partition: int) -> str:
    """Return the name of one partition of a stream on the bus."""
    return f"{stream}:{partition}"
