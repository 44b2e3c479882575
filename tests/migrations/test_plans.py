"""Query plans of PostgreSQL without statistics."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine, text

# The foreign-key query of PostgreSQL for each row that refers to an entity with its kind.
_CHECK = text(
    "EXPLAIN SELECT 1 FROM ONLY entities x WHERE organization_id = 1"
    " AND id = '00000000-0000-7000-8000-000000000001' AND kind = 'ASSET' FOR KEY SHARE OF x"
)
_MANY = text(
    "INSERT INTO entities (organization_id, id, kind, name, status, created_at, updated_at)"
    " SELECT 1, gen_random_uuid(), 'ASSET', 'n', 'active', now(), now() FROM generate_series(1, 1000)"
)


def test_a_check_of_a_foreign_key_looks_for_the_id(engine: Callable[[str], Engine]) -> None:
    with engine("owner").begin() as connection:
        connection.execute(
            text(
                "INSERT INTO organizations (public_id, slug, name, created_at) VALUES (gen_random_uuid(), 'a', 'a', now())"
            )
        )
        connection.execute(_MANY)
        plan = "\n".join(connection.scalars(_CHECK))
    assert "uq_entities_id_kind" in plan or "pk_entities" in plan, plan
