"""Conditions on the latest point of a metric, as SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from unicodedata import normalize

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, column, not_, select, text
from sqlalchemy.orm import Session

from domain.base.metrics import NAME_CHARS_MAX
from domain.nodes.filters.model import LatestCondition, Path
from domain.nodes.latest_points import points_of, points_values
from graph.errors import BadInputError
from graph.json_bounds import text_check
from graph.kinds import EntityKind
from graph.sql import any_of
from graph.tables import entities

TEXT_MAX_CHARS: Final = 10_000
_KINDS: Final = (EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE)
_OPERATORS: Final = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def latest_condition(
    session: Session, condition: LatestCondition, *, organization_id: int, now: datetime, path: Path
) -> ColumnElement[bool]:
    """Return a condition on the latest point of a metric as a condition on `entities`. path: of the condition.

    Raises BadInputError.
    """
    metric = text_check(condition.metric, path=(*path, "metric"), min_chars=1, max_chars=NAME_CHARS_MAX)
    values: dict[str, Any] = {name: bound for name in _OPERATORS if (bound := getattr(condition, name)) is not None}
    conditions = [f"p.value {operator} :{name}" for name, operator in _OPERATORS.items() if name in values]
    if condition.text is not None:
        checked = text_check(condition.text, path=(*path, "text"), max_chars=TEXT_MAX_CHARS)
        # A text is kept in the form of Unicode in which it came.
        values["texts"] = list(dict.fromkeys((condition.text, checked, normalize("NFD", checked))))
        conditions.append("p.text = ANY (:texts)")
    if condition.older_than is not None:
        if conditions:
            raise BadInputError("olderThan is given alone.", path=(*path, "olderThan"))
        values["since"] = now - condition.older_than
        conditions.append("p.at >= :since")
    if not conditions:
        raise BadInputError("A condition on the latest point needs a comparison, or olderThan.", path=path)
    statement = f"SELECT p.id FROM ({points_of(session)}) p WHERE {' AND '.join(conditions)}"  # noqa: S608  (our own)
    values |= {"metric": metric, **points_values(session, organization_id=organization_id)}
    bound = text(statement).bindparams(*(bindparam(name, value, unique=True) for name, value in values.items()))
    fitting = entities.c.id.in_(select(bound.columns(column("id", Uuid)).subquery().c.id))
    if condition.older_than is None:
        return fitting
    return and_(any_of(entities.c.kind, [kind.value for kind in _KINDS]), not_(fitting))
