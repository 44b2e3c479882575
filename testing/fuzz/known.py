"""What the fuzzer knows of the organization that it calls: ids and cursors from answers, names that mean something."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from runtime.clock import utc_now

# Of each kind, so many of the newest are remembered.
REMEMBERED_MAX: Final = 200
ENTITY_KINDS: Final = ("asset", "device", "space", "person", "activity")
# What an argument or an input field names, where its own name does not say it.
KIND_OF_ARGUMENT: Final = {
    "replacementId": ("device",),
    "profileId": ("assetProfile",),
    "groupId": ("group",),
    "templateId": ("activityTemplate",),
    "createActivityFromTemplateId": ("activityTemplate",),
    "tokenId": ("deviceToken",),
    **dict.fromkeys(
        ("entityId", "underId", "sourceId", "targetId", "startId", "fromId", "toId", "subjectId", "parentId"),
        ENTITY_KINDS,
    ),
}
_OF_OPERATION: Final = {
    "unshelveEvents": ("shelf",),
    "restoreEntity": ("deleted", "deleted", *ENTITY_KINDS),
    "entity": ENTITY_KINDS,
}
# Objects of answers under other names.
_RENAMED: Final = {"source": "entity", "target": "entity", "profile": "assetProfile", "template": "activityTemplate"}
_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")

METRICS: Final = ("temperature", "humidity", "power", "door", "label", "spread", "hot", "health", "total")
RELATIONSHIPS: Final = ("MONITORED_BY", "HAS_PART", "LOCATED_IN", "CONTAINS", "ASSIGNED_TO", "ABOUT", "FEEDS")
EXTERNAL_IDS: Final = ("pump-0", "pump-1", "meter-0", "meter-1", "hall", "house", "ann", "fuzz-1", "fuzz-2")
# Names by the argument or field that they are for. Several, so that some of them are wrong.
WORDS: Final[Mapping[str, Sequence[str]]] = {
    "metric": METRICS,
    "relationship": RELATIONSHIPS,
    "externalId": EXTERNAL_IDS,
    "name": ("Pump", "Meter", "fuzzed", "Hall 1", "derive.shadow", "FEEDS", "Überlauf", "a" * 200),
    "inverse": ("FED_BY", "PART_OF", "IS_FED"),
    "type": ("pump", "meter", "hall", "technician", "repair"),
    "status": ("active", "idle", "PLANNED"),
    "stage": ("derive", "derive", "derive", "normalize"),
    "role": ("viewer", "operator", "admin", "device"),
    "timezone": ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Mars/Olympus"),
    "unit": ("Cel", "K", "kW", "[degF]", "nonsense"),
    "attribute": ("ratedKw", "maker", "rated"),
    "expression": (
        "temperature > 30.0",
        "temperature > attributes.ratedKw",
        "power / 0.0 > 1.0",
        "door == true && humidity < 40.0",
        "temperature >",
        "size(label) > 3",
        "((((((((((temperature))))))))))",
    ),
    "url": ("http://hook.invalid/x", "https://127.0.0.1/x", "http://localhost:1/", "ftp://hook.invalid", "http://[::1"),
    "email": ("ann@plant.invalid", "not an address", ""),
    "priority": ("LOW", "HIGH", "urgent"),
    "category": ("repair", "inspection"),
    "defaultAssignedRole": ("technician", "nobody"),
    "code": ("INVALID_TIMESTAMP", "OUT_OF_RANGE", "UNKNOWN_METRIC"),
    "actor": ("argus token", "pipeline"),
    "action": ("CREATE", "UPDATE", "DELETE"),
    "search": ("pump", "%", "_", "'", "\\"),
    "itemId": ("1", "2"),
    "messageId": ("m-1", "m-2"),
    "firmwareVersion": ("1.2",),
}
# Of one operation.
_NAMES: Final = {
    "createRelationship": ("FEEDS", "COOLS", "HEATS", "lower case"),
    "renameRelationshipInverse": ("FEEDS", "COOLS", "HEATS", "HAS_PART"),
    "retireRelationship": ("FEEDS", "COOLS", "HEATS", "HAS_PART"),
    "setFeatureFlag": ("derive.shadow", "ui.theme"),
}
# Names whose words are those of another name.
_LIKE: Final = {"webhookUrl": "url", "defaultPriority": "priority"}


def singular(name: str) -> str:
    """Return the name of one of these: `deviceIds` -> `deviceId`, `statuses` -> `status`, `entities` -> `entity`."""
    if name.endswith("ies"):
        return name[:-3] + "y"
    if name.endswith(("sses", "tuses")):
        return name[:-2]
    if name.endswith("shelves"):
        return "shelf"
    return name[:-1] if name.endswith("s") and not name.endswith("us") else name


def words_for(operation: str, name: str) -> Sequence[str]:
    """Return the words that suit an argument or an input field; none for a text that may be anything."""
    one = singular(name)
    if one == "name" and operation in _NAMES:
        return _NAMES[operation]
    return WORDS.get(_LIKE.get(one, one), ())


@dataclass(slots=True)
class Known:
    """Ids by the kind of what they name, and cursors, the newest of each."""

    ids: dict[str, deque[str]] = field(default_factory=dict)
    now: datetime = field(default_factory=utc_now)
    cursors: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED_MAX))

    def id_for(self, random: Random, *, operation: str, argument: str) -> str | None:
        """Return an id of the kind that an argument names, if one is known."""
        kinds = self._kinds(operation, singular(argument))
        ids = [identity for kind in kinds for identity in self.ids.get(kind, ())]
        return random.choice(ids) if ids else None

    def instant_for(self, random: Random, *, argument: str) -> str:
        """Return an instant of the last days, or of the next ones for what ends."""
        ends = argument in {"to", "until", "validUntil", "expiresAt", "dueAt"}
        seconds = random.choice((60, 3_600, 86_400, 20 * 86_400)) * random.uniform(0.1, 1)
        return (self.now + timedelta(seconds=seconds if ends else -seconds)).isoformat()

    def learn(self, answer: object, operation: str = "") -> None:
        """Remember the ids and cursors of an answer's data; forget those of what an operation deleted."""
        if operation == "testRule":
            # Its events are not stored.
            return
        is_gone = operation.startswith(("delete", "retire", "revoke"))
        for kind, name, value in _texts(answer, "entity"):
            if is_gone:
                for ids in self.ids.values():
                    if value in ids:
                        ids.remove(value)
                if name == "id" and kind in ENTITY_KINDS:
                    self.ids.setdefault("deleted", deque(maxlen=REMEMBERED_MAX)).append(value)
                continue
            if name in {"id", "tokenId"}:
                of = "deviceToken" if name == "tokenId" else kind
                self.ids.setdefault(of, deque(maxlen=REMEMBERED_MAX)).append(value)
            elif name in {"endCursor", "startCursor"}:
                self.cursors.append(value)

    def _kinds(self, operation: str, argument: str) -> Sequence[str]:
        if argument == "id":
            if operation in _OF_OPERATION:
                return _OF_OPERATION[operation]
            ends = [kind for kind in self.ids if operation.lower().endswith(kind.lower())]
            return [max(ends, key=len)] if ends else tuple(self.ids)
        if argument in KIND_OF_ARGUMENT:
            return KIND_OF_ARGUMENT[argument]
        return (argument.removesuffix("Id"),)


def _texts(value: object, kind: str) -> Iterator[tuple[str, str, str]]:
    """Yield the kind of the object, the field and its text, of all texts of an answer."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, kind)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                yield kind, name, item
            else:
                inner = kind if name in {"nodes", "node", "edges", "pageInfo"} else _kind_named(name)
                yield from _texts(item, inner)


def _kind_named(name: str) -> str:
    one = singular(name)
    return _RENAMED.get(one, one)


def example_of(name: str, random: Random) -> Any:
    """Return a well-formed value for a JSON argument or input field of that name; None where any value suits."""
    examples = JSON_EXAMPLES.get(singular(name), ())
    return random.choice(examples) if examples else None


_THRESHOLD: Final = {"threshold": {"metric": "temperature", "operator": "GT", "value": 30, "for": "PT0S"}}
_DERIVED: Final = {
    "spread": {"sum": {"temperature": 1, "humidity": -1}, "maxAge": "PT10M"},
    "hot": {"formula": "temperature > 30.0"},
}
JSON_EXAMPLES: Final[Mapping[str, Sequence[Any]]] = {
    "metric": (
        {"temperature": 21.5, "humidity": 40},
        {"temperature": 95},
        {"power": -1.5, "door": True, "label": "x"},
        {"power": 1, "label": "x\0"},
        {"temperature": "warm"},
        {},
    ),
    "attribute": ({}, {"ratedKw": 5, "maker": "X"}, {"a": {"b": [1, None, "x"]}}, [], "text"),
    "checklist": ([{"text": "look"}], [{"id": "1", "text": "look", "done": False}], [], [{"id": 1}]),
    "formula": (_DERIVED, {"fahrenheit": {"formula": "temperature * 1.8 + 32.0", "unit": "[degF]"}}, {}),
    "rule": ([{"name": "very hot", "severity": "HIGH", "condition": _THRESHOLD}], []),
    "health": (
        {"freshness": "PT1H", "freshnessWeight": 20, "events": {"HIGH": 30}, "bucket": "PT15M"},
        {"children": {"weight": 30, "combine": "mean"}},
        {},
    ),
    "defaultHealthThreshold": ({"temperature": {"warnHigh": 80, "critHigh": 90, "weight": 40}}, {}),
    "defaultAttribute": ({"ratedKw": 5}, {}),
    "telemetrySchema": (
        {"metrics": {"temp_f": {"type": "NUMBER", "unit": "Cel", "sentUnit": "[degF]", "rename": "temperature"}}},
        {"metrics": {"temperature": {"type": "NUMBER", "min": -40, "max": 125}}, "unknown": "refuse"},
        {"derived": _DERIVED},
        {},
    ),
    "record": (
        {"record": "entity", "kind": "ASSET", "externalId": "fuzz-1", "name": "Fuzz 1", "type": "pump"},
        {"record": "entity", "kind": "DEVICE", "externalId": "fuzz-2", "name": "Fuzz 2", "firmwareVersion": "1"},
        {"record": "edge", "source": "fuzz-1", "relationship": "MONITORED_BY", "target": "fuzz-2", "port": 2},
        {"record": "entityType", "kind": "ASSET", "name": "pump"},
        {"record": "relationship", "name": "FEEDS", "inverse": "FED_BY", "sourceKinds": [], "targetKinds": []},
    ),
    "value": (2, 1, None, True),
    "metadata": ({}, {"note": "x"}),
}
