"""Fields of a kind's own in the records of entities: which details an export writes, and an import reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graph.kinds import EntityKind

# By column of the kind's details. None: it is of the installation that has it, and is not exported.
DETAIL_FIELDS: Final[Mapping[EntityKind, Mapping[str, str | None]]] = {
    EntityKind.ASSET: {"profile_id": "profile"},  # by name: the id is the installation's
    EntityKind.DEVICE: {"firmware_version": "firmwareVersion"},
    EntityKind.SPACE: {},
    EntityKind.PERSON: {"email": "email"},
    EntityKind.ACTIVITY: {
        "category": "category",
        "priority": "priority",
        "due_at": "dueAt",
        "checklist": "checklist",
        "suggestion": None,  # made by an event, which is not exported
    },
}

OWN_FIELDS: Final[Mapping[EntityKind, frozenset[str]]] = {
    kind: frozenset(field for field in fields.values() if field is not None) for kind, fields in DETAIL_FIELDS.items()
}

# Fields that earlier exports have and that mean nothing elsewhere: an import ignores them, with a remark.
IGNORED_FIELDS: Final[Mapping[EntityKind, frozenset[str]]] = {
    EntityKind.ASSET: frozenset({"profileId"}),
    EntityKind.ACTIVITY: frozenset({"closingSuggestion"}),
}
