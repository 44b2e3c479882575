"""The queries GraphiQL offers: each runs unchanged against the demo plant."""

from __future__ import annotations

from typing import Final

SAMPLES: Final[tuple[tuple[str, str], ...]] = (
    (
        "Plant",
        """\
# The plant, from its site down. Press the play button.
# The token is under Headers.
query Plant {
  viewer { organizationName role }
  entity(kind: SPACE, externalId: "site") {
    name
    ... on Space {
      children {
        nodes {
          name
          children { nodes { name } }
          occupants(first: 20) { nodes { kind name type } }
        }
      }
    }
  }
}
""",
    ),
    (
        "Live",
        """\
# These metrics of the whole plant, as they come. Press play, and watch; press stop to end it.
subscription Live {
  telemetry(metrics: ["supply_temperature", "air_temperature", "temperature"]) {
    series { entity { kind name } metric timestamps values }
    dropped
    cursor
  }
}
""",
    ),
    (
        "Latest values",
        """\
# What the boilers and their probes say now.
query Latest {
  assets(filter: { types: ["Boiler"] }) {
    totalCount
    nodes {
      name
      latest { metric value unit timestamp receivedAt }
      devices { nodes { name connectivity lastSeenAt } }
    }
  }
}
""",
    ),
    (
        "History over a device swap",
        """\
# Boiler A1 got a new probe some hours ago. Its own history goes on over the swap; each probe has its own part.
query Swap($from: DateTime = "2020-01-01T00:00:00Z") {
  entity(kind: ASSET, externalId: "boiler-a1") {
    name
    telemetry(metrics: ["supply_temperature"], from: $from, maxPoints: 200) {
      metric
      timestamps
      values
      truncated
    }
    edgeHistory(relationships: ["MONITORED_BY"]) {
      nodes { target { name } validFrom validUntil recordedAt retractedAt }
    }
  }
}
""",
    ),
    (
        "What a fan serves",
        """\
# Everything downstream of an air handler: first what it feeds, then the rooms behind that.
query Downstream {
  entity(kind: ASSET, externalId: "ahu-a1") {
    name
    related(relationships: ["FEEDS"], depth: 3) { nodes { kind type name } }
    edges(direction: ANY) { nodes { relationship source { name } target { name } validFrom validUntil } }
  }
}
""",
    ),
    (
        "Send a reading",
        """\
# One good reading, and one that is refused: the good one goes through.
mutation Send {
  ingestTelemetry(
    readings: [
      { externalId: "boiler-a1-probe", metrics: { supply_temperature: 71.5 } }
      { externalId: "nobody", metrics: { supply_temperature: 1 } }
    ]
  ) {
    accepted
    rejected
    errors { code message path }
  }
}
""",
    ),
    (
        "Who changed what",
        """\
# The audit trail, newest first.
query Changes {
  changes(first: 10) {
    nodes { recordedAt actor action reason subject { id ... on Entity { kind name } } }
  }
  ingestAccount(from: "2020-01-01T00:00:00Z") { received stored duplicate dead pending }
}
""",
    ),
)
