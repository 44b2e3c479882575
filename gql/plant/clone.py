"""Copies of assets."""

from __future__ import annotations

import strawberry
from sqlalchemy.orm import Session

from domain.base.bulk import ERRORS_MAX
from domain.nodes.clone import CloneDraft, CloneResult, asset_clone
from gql.access.principal import OPERATORS, Role
from gql.base.context import Info
from gql.base.ids import uuid_named
from gql.base.roots import mutation, mutations
from gql.errors import user_error
from gql.plant.assets import AssetPayload, asset_payload
from graph.change import GraphChange
from graph.errors import ArgusError


@strawberry.input
class CloneAssetInput:
    """A copy of an asset.

    Attributes:
        external_id: External id of the copy. A part whose own begins with the original's gets one that begins with
            this; else, and where that is taken, it gets the original's with a number behind it: `X-2`, `X-3` ...
        parent_id: Id of the asset of which the copy is a part, from now on; its location is recorded by the caller
            then. Default: the copy is a part of what the original is a part of, and it and its parts are located where
            the originals are.
        include_parts: Copy its parts (HAS_PART) as well, and theirs.
        include_rules: Copy the rules that are about the asset, or about a part that is copied, with the scope
            `entityId` or `underId`. Whoever may not create rules is FORBIDDEN to copy an asset that has any.
    """

    name: str
    external_id: str | None = None
    parent_id: strawberry.ID | None = None
    include_parts: bool = True
    include_rules: bool = True


class _RefusedError(Exception):
    """Rolls back a change in which something was refused, and carries why."""

    def __init__(self, result: CloneResult) -> None:
        super().__init__()
        self.result = result


@mutations
class AssetCloneMutation:
    """Copies of assets."""

    @mutation(OPERATORS, scoped=True)
    async def clone_asset(
        self, info: Info, id: strawberry.ID, input: CloneAssetInput, reason: str | None = None
    ) -> AssetPayload:
        """Copy an asset with its type, status, attributes, location and profile, its parts, and rules about them.

        In one transaction, of at most 1,000 assets and 500 rules, else LIMIT_EXCEEDED. Links to devices, flows (FEEDS),
        events and telemetry are not copied: a device measures the original until somebody links it to the copy. What
        cannot be copied refuses all of it, each with its own error: CONFLICT for an external id that is taken, with the
        path ['parts', id, ...] or ['rules', id, ...] what is wrong with one of these.

        Args:
            id: Id of the original.
            reason: Why, for the audit trail.
        """
        try:
            principal = info.context.principal
            asset_id = uuid_named(id, "id")
            draft = CloneDraft(
                name=input.name,
                external_id=input.external_id,
                parent_id=None if input.parent_id is None else uuid_named(input.parent_id, "input", "parentId"),
                include_parts=input.include_parts,
                include_rules=input.include_rules,
                may_create_rules=principal.role is Role.ADMIN and principal.under is None,
            )

            def run(session: Session, change: GraphChange) -> CloneResult:
                result = asset_clone(session, change=change, asset_id=asset_id, draft=draft)
                if result.clone is None:
                    raise _RefusedError(result)
                return result

            return asset_payload((await info.context.change(run, reason=reason)).clone, [])
        except _RefusedError as refused:
            return asset_payload(None, [user_error(error) for error in refused.result.errors[:ERRORS_MAX]])
        except ArgusError as error:
            return asset_payload(None, [user_error(error)])
