"""Names of the pipeline's streams, groups and stages."""

from __future__ import annotations

RAW = "telemetry.raw.v1"
NORM = "telemetry.norm.v1"
ASSET = "telemetry.asset.v1"
DERIVED = "telemetry.derived.v1"
EVENTS = "events.v1"
DEAD = "telemetry.dlq.v1"

# The stages, in their order; the group that reads a stream bears its stage's name. NORMALIZE reads RAW and writes
# NORM, ATTRIBUTE reads NORM and writes ASSET, DERIVE reads ASSET and writes DERIVED and EVENTS, ACT reads EVENTS.
NORMALIZE = "normalize"
ATTRIBUTE = "attribute"
DERIVE = "derive"
ACT = "act"
STAGES = (NORMALIZE, ATTRIBUTE, DERIVE, ACT)
# Not a stage of the partition tasks: jobs compute rollups, of all organizations into one partition of DERIVED, which is
# of their own, so that they never wait for the derive stage, which may wait for them.
BUCKETS = "buckets"
BUCKETS_PARTITION = 2**13
# The feed's partitions of derived points come after those of device points, whatever their number.
DERIVED_PARTITION = 2**14
# What each reads.
SOURCES = {NORMALIZE: RAW, ATTRIBUTE: NORM, DERIVE: ASSET, ACT: EVENTS}

# By stream: the groups that read it, and for how long entries are kept beyond what every group has acknowledged.
# The live feed reads NORM and DERIVED without a group, each entry in every process; who comes later reads the
# database. The mirror of the dead letters is for whoever watches; the table is what counts.
GROUPS = {RAW: (NORMALIZE,), NORM: (ATTRIBUTE,), ASSET: (DERIVE,), DERIVED: (), EVENTS: (ACT,), DEAD: ()}
RETENTION_MS = {RAW: 0, NORM: 30_000, ASSET: 0, DERIVED: 30_000, EVENTS: 30_000, DEAD: 3_600_000}

# Entries that may wait in one partition of a stream. More are not sent: the sweeper does, from the raw log.
LENGTH_MAX = 5_000


def stream_name(stream: str, partition: int) -> str:
    """Return the name of one partition of a stream on the bus."""
    return f"{stream}:{partition}"
