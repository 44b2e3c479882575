"""What an export of an organization has: a new table is a decision."""

from __future__ import annotations

from domain.exchange.exports.records import ELSEWHERE, LEFT_OUT, RECORDS, REDACTED
from domain.tables import metadata_complete


def test_every_table_is_exported_or_left_out() -> None:
    tables = [name for name, table in metadata_complete().tables.items() if "organization_id" in table.columns]
    assert len(tables) > 50
    assert sorted(tables) == sorted([*RECORDS, *REDACTED, *ELSEWHERE, *LEFT_OUT])
