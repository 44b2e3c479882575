"""Clone an asset with its parts and the rules that are about them, in one change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from domain.nodes.clone_rules import rule_clone, rules_about
from domain.plant.assets.model import ASSET
from domain.plant.entity_kind import details_get, typed_entities_create
from graph.change import GraphChange
from graph.direction import Direction
from graph.edges.bulk import EdgeDraft, edges_create
from graph.edges.model import EdgeVersion
from graph.edges.queries import edges_of
from graph.entities.model import Entity, EntityDraft
from graph.entities.queries import entities_get, entity_get
from graph.errors import ArgusError, BeyondScopeError, LimitExceededError
from graph.kinds import EntityKind
from graph.relationships.builtin import HAS_PART, LOCATED_IN
from graph.tenancy import unscoped

# The asset included.
PARTS_MAX: Final = 1_000
_PARTS: Final = text(
    """
    WITH RECURSIVE parts (id) AS (
        SELECT CAST(:id AS uuid)
        UNION
        SELECT e.target_id FROM parts p JOIN entity_edges e ON e.source_id = p.id
        WHERE e.organization_id = :organization_id AND e.relationship = :relationship AND upper_inf(e.recorded)
            AND e.valid @> CAST(:as_of AS timestamptz)
    )
    SELECT id FROM parts LIMIT :most
    """
)
# External ids ... that are taken, by X.
_NUMBERS: Final = text(
    """
    SELECT left(external_id, -length(number) - 1) AS base, max(CAST(number AS numeric)) AS number
    FROM entities, substring(external_id FROM '-([0-9]{1,9})$') AS number
    WHERE organization_id = :organization_id AND kind = 'ASSET' AND deleted_at IS NULL AND number IS NOT NULL
        AND left(external_id, -length(number) - 1) = ANY (:bases)
    GROUP BY 1
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneDraft:
    """How an asset is cloned. parent_id None: the clone is a part of what the asset is a part of, and where it is.

    may_create_rules: whether the caller may; else an asset with rules is refused, not cloned without them.
    """

    name: str
    external_id: str | None = None
    parent_id: UUID | None = None
    include_parts: bool = True
    include_rules: bool = True
    may_create_rules: bool = True


@dataclass(frozen=True, slots=True)
class CloneResult:
    """The clone; or, without one, why not: the change has to be rolled back then."""

    clone: Entity | None
    errors: Sequence[ArgusError] = ()


def asset_clone(session: Session, *, change: GraphChange, asset_id: UUID, draft: CloneDraft) -> CloneResult:
    """Clone an asset: its type, status, attributes, location and profile; its parts and rules where they are wanted.

    A part of the external id X gets X-2 or the next number that is free; where X begins with the asset's own external
    id and the clone has one, that one takes its place. Parts of several assets are cloned once. No link to a device,
    no flow and no telemetry is cloned.
    Refused alone, with the path ("parts" or "rules", id, ...), is what cannot be cloned.
    Raises NotFoundError, BadInputError, ConflictError for an external id that is taken, LimitExceededError for more
    than PARTS_MAX assets or RULES_MAX rules, BeyondScopeError for rules that the caller may not create.
    """
    organization_id = change.organization_id
    root = entity_get(session, organization_id=organization_id, entity_id=asset_id, kind=EntityKind.ASSET, path=("id",))
    if draft.parent_id is not None:
        parent = ("input", "parentId")
        entity_get(
            session, organization_id=organization_id, entity_id=draft.parent_id, kind=EntityKind.ASSET, path=parent
        )
    originals = [root, *_parts(session, change, root.id)] if draft.include_parts else [root]
    copied = rules_about(session, change=change, ids=[item.id for item in originals]) if draft.include_rules else []
    if copied and not draft.may_create_rules:
        message = f"{len(copied)} rules are about it, and only an admin of all creates rules: includeRules: false."
        raise BeyondScopeError(message, path=("input", "includeRules"))
    clones, errors = _assets(session, change, originals, draft)
    if not errors:
        errors = _edges(session, change, originals, clones, draft)
    for rule_id in () if errors else copied:
        try:
            rule_clone(session, change=change, rule_id=rule_id, clones=clones)
        except ArgusError as error:
            errors.append(_at(error, "rules", rule_id))
    return CloneResult(None, errors) if errors else CloneResult(clones[root.id])


def _parts(session: Session, change: GraphChange, root_id: UUID) -> list[Entity]:
    values = {
        "organization_id": change.organization_id,
        "id": root_id,
        "relationship": HAS_PART,
        "as_of": change.recorded,
        "most": PARTS_MAX + 1,
    }
    ids = [part_id for part_id in session.scalars(_PARTS, values) if part_id != root_id]
    if len(ids) >= PARTS_MAX:
        raise LimitExceededError(
            f"It has more parts than the {PARTS_MAX} assets that are cloned at once.", path=("id",)
        )
    parts = entities_get(session, organization_id=change.organization_id, ids=ids)
    return [parts[part_id] for part_id in sorted(parts)]


def _assets(
    session: Session, change: GraphChange, originals: Sequence[Entity], draft: CloneDraft
) -> tuple[dict[UUID, Entity], list[ArgusError]]:
    """Create the assets; return the clones by their originals, and why others are refused."""
    external_ids = _external_ids(session, change, originals, draft)
    details = details_get(
        session, organization_id=change.organization_id, spec=ASSET, ids=[item.id for item in originals]
    )
    made = typed_entities_create(
        session,
        change=change,
        spec=ASSET,
        new=[
            (
                EntityDraft(
                    name=draft.name if place == 0 else item.name,
                    external_id=external_ids[item.id],
                    type=item.type,
                    status=item.status,
                    attributes=item.attributes,
                    location=item.location,
                ),
                details[item.id],
                None,
            )
            for place, item in enumerate(originals)
        ],
    )
    clones: dict[UUID, Entity] = {}
    errors: list[ArgusError] = []
    for place, (item, result) in enumerate(zip(originals, made, strict=True)):
        if isinstance(result, Entity):
            clones[item.id] = result
        elif place == 0:
            result.path = ("input", *result.path)
            errors.append(result)
        else:
            errors.append(_at(result, "parts", item.id))
    return clones, errors


def _external_ids(
    session: Session, change: GraphChange, originals: Sequence[Entity], draft: CloneDraft
) -> dict[UUID, str | None]:
    """Return the external ids of the clones: no two alike, and none that is taken but perhaps the one given."""
    root, *parts = originals
    result: dict[UUID, str | None] = {root.id: draft.external_id}
    wanted: dict[UUID, str] = {}
    for part in parts:
        result[part.id] = None
        if part.external_id is not None:
            wanted[part.id] = _replaced(part.external_id, root.external_id, draft.external_id)
    numbers, taken = _taken(session, change, wanted.values())
    taken |= {draft.external_id} - {None}
    for part_id, base in wanted.items():
        name, number = base, max(numbers.get(base, 1), 1)
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        numbers[base] = number
        result[part_id] = name
    return result


def _replaced(external_id: str, old: str | None, new: str | None) -> str:
    if old and new and external_id.startswith(old):
        return new + external_id[len(old) :]
    return external_id


def _taken(session: Session, change: GraphChange, names: Collection[str]) -> tuple[dict[str, int], set[str | None]]:
    """Return the highest number behind each name that has any, and which of the names are taken themselves."""
    if not names:
        return {}, set()
    values = {"organization_id": change.organization_id, "bases": list(names)}
    statement = text(
        "SELECT external_id FROM entities WHERE organization_id = :organization_id AND kind = 'ASSET'"
        " AND deleted_at IS NULL AND external_id = ANY (:bases)"
    )
    # An external id is unique in the whole organization: also beyond what a confined caller sees.
    with unscoped(session):
        numbers = {row.base: int(row.number) for row in session.execute(_NUMBERS, values)}
        return numbers, set(session.scalars(statement, values))


def _edges(
    session: Session,
    change: GraphChange,
    originals: Sequence[Entity],
    clones: Mapping[UUID, Entity],
    draft: CloneDraft,
) -> list[ArgusError]:
    """Connect the clones as their originals are, and the first of them to its parent; return what is refused."""
    root = originals[0]
    ids = [item.id for item in originals]
    organization_id = change.organization_id
    inside = edges_of(
        session, organization_id=organization_id, entity_ids=ids, direction=Direction.OUT, relationships=[HAS_PART]
    )
    drafts: list[tuple[UUID, EdgeDraft]] = []

    def copy(edges: Collection[EdgeVersion], original_id: UUID) -> None:
        for edge in edges:
            source = clones[edge.source_id].id if edge.source_id in clones else edge.source_id
            target = clones[edge.target_id].id if edge.target_id in clones else edge.target_id
            drafts.append(
                (
                    original_id,
                    EdgeDraft(
                        source_id=source,
                        target_id=target,
                        relationship=edge.relationship,
                        valid_until=edge.valid.end,
                        metadata=edge.metadata,
                    ),
                )
            )

    for original_id in ids:
        copy([edge for edge in inside[original_id] if edge.target_id in clones], original_id)
    if draft.parent_id is None:
        above = edges_of(
            session,
            organization_id=organization_id,
            entity_ids=[root.id],
            direction=Direction.IN,
            relationships=[HAS_PART],
        )
        places = edges_of(
            session,
            organization_id=organization_id,
            entity_ids=ids,
            direction=Direction.OUT,
            relationships=[LOCATED_IN],
        )
        copy(above[root.id], root.id)
        for original_id in ids:
            copy(places[original_id], original_id)
    else:
        parent = EdgeDraft(source_id=draft.parent_id, target_id=clones[root.id].id, relationship=HAS_PART)
        drafts.append((root.id, parent))
    made = edges_create(session, change=change, drafts=[edge for _, edge in drafts])
    return [
        _at(result, "parts", original_id)
        for (original_id, _), result in zip(drafts, made, strict=True)
        if isinstance(result, ArgusError)
    ]


def _at(error: ArgusError, name: str, identity: UUID) -> ArgusError:
    error.path = (name, str(identity), *error.path)
    return error
