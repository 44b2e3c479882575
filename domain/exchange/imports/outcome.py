"""The outcome of an import, or of its dry run."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from domain.exchange.imports.records import Remark


@dataclass(slots=True)
class Outcome:
    """Counts and remarks. created, updated, unchanged: entities. definitions_...: types and relationships.

    links_from_now: how many of the created edges are links that hold from the import on, for lack of an earlier time.
    not_understood: by predicate of the file, how many statements nothing became of. remarks: what was left out, why.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    definitions_created: int = 0
    definitions_updated: int = 0
    definitions_unchanged: int = 0
    edges_created: int = 0
    edges_updated: int = 0
    edges_unchanged: int = 0
    links_from_now: int = 0
    not_understood: dict[str, int] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def refused(self) -> list[Remark]:
        """The remarks that are errors."""
        return [item for item in self.remarks if item.code is not None]

    @property
    def written(self) -> int:
        """The number of changes."""
        return sum(
            getattr(self, item.name) for item in fields(self) if item.name.endswith(("created", "updated", "deleted"))
        )

    def copy(self) -> Outcome:
        """Return a copy."""
        return replace(self, remarks=list(self.remarks))

    def restore(self, before: Outcome) -> None:
        """Restore an earlier copy."""
        for item in fields(self):
            if item.name != "remarks":
                setattr(self, item.name, getattr(before, item.name))
        self.remarks[:] = before.remarks
