"""Create, change persons. Deleting and restoring is the same for all kinds: domain/nodes/operations.py."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.plant.entity_kind import typed_entity_create, typed_entity_update
from domain.plant.persons.model import PERSON
from graph.absent import ABSENT, Absent
from graph.change import GraphChange
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.errors import BadInputError
from graph.json_bounds import text_check

# RFC 5321, 4.5.3.1.3: a path has 256 octets, of which the angle brackets take two.
EMAIL_MAX_CHARS: Final = 254
# Only what is surely no address is refused; whether mail arrives, only a mail can show.
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")


def person_create(session: Session, *, change: GraphChange, draft: EntityDraft, email: str | None = None) -> Entity:
    """Create a person. Raises BadInputError, LimitExceededError, ConflictError where the external id is taken."""
    return typed_entity_create(session, change=change, spec=PERSON, draft=draft, details=person_details(email))


def person_update(
    session: Session,
    *,
    change: GraphChange,
    person_id: UUID,
    patch: EntityPatch,
    email: str | Absent | None = ABSENT,
) -> Entity:
    """Change a person. Raises NotFoundError, BadInputError, LimitExceededError, ConflictError."""
    details = {} if isinstance(email, Absent) else person_details(email)
    return typed_entity_update(session, change=change, spec=PERSON, entity_id=person_id, patch=patch, details=details)


def person_details(email: str | None) -> dict[str, Any]:
    """Return the columns of a person's details. Raises BadInputError."""
    if email is not None:
        email = text_check(email, path=("email",), max_chars=EMAIL_MAX_CHARS)
        if not _EMAIL.fullmatch(email):
            raise BadInputError("An e-mail address has one @ and no blanks.", path=("email",))
    return {"email": email}
