"""A version of the derive stage in shadow: computes beside the one in force, and writes only how it differs.

It never writes to a series, and no error of its own reaches the version in force.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import CursorResult, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from domain.base.arrays import arrays_enable, bigint_array, double_array, instant_array, text_array, uuid_array
from domain.base.packed import Column, Instants, Values
from domain.base.streams import DERIVE
from domain.derivation.formulas.config import Derivation
from domain.derivation.formulas.context import FormulaContext
from domain.derivation.formulas.derive import NOTHING, State, derive
from domain.derivation.formulas.formulas import FormulaSet
from domain.derivation.invalidation.spans import EntitySpan, spans_columns
from domain.derivation.shadow.model import DIFFERENCES_MAX
from graph.texts import text_clean

_log = logging.getLogger(__name__)

# So many failures are searched by halving in a transaction; then the rest is not compared.
FAILURES_MAX: Final = 32
_ERROR_MAX_CHARS: Final = 500

# The row is locked until the commit: transactions of an organization store differences in turn, and the bound is exact.
_RESULTS_ADD = text(
    """
    UPDATE shadows SET compared = compared + :compared, errors = errors + :errors,
        last_error = coalesce(:error, last_error)
    WHERE organization_id = :organization_id AND stage = :stage AND version = :version RETURNING different
    """
)
_FORGET = text(
    """
    DELETE FROM shadow_differences d USING unnest(:entities, :begins, :ends) AS u (e, b, t)
    WHERE d.organization_id = :organization_id AND d.stage = :stage AND d.entity_id = u.e
        AND d."timestamp" >= u.b AND d."timestamp" < u.t
    """
)
_INSERT = text(
    """
    INSERT INTO shadow_differences (organization_id, stage, entity_id, metric, "timestamp", version, value,
        shadow_version, shadow_value)
    SELECT :organization_id, :stage, u.e, u.m, u.t, u.v, nullif(u.x, 'NaN'), :version, nullif(u.y, 'NaN')
    FROM unnest(:entities, :metrics, :at, :versions, :values, :shadow_values) AS u (e, m, t, v, x, y)
    """
)
_COUNT = text(
    """
    UPDATE shadows SET different = different + :gained, omitted = omitted + :omitted
    WHERE organization_id = :organization_id AND stage = :stage
    """
)


@dataclass(frozen=True, slots=True)
class Differences:
    """Points of one metric that differ, in columns. NaN: no point. versions: the one in force at the time."""

    metric: str
    entities: Sequence[bytes]
    at: Instants
    versions: NDArray[np.int64]
    values: Values
    shadow_values: Values


@dataclass(frozen=True, slots=True)
class ShadowComparison:
    """The points of a transaction, compared with those of the version in shadow.

    compared: how many. errors: of so many entities none could be; error: why, of the last. failures: how often the
    version has failed. spans: those over which entities were derived: earlier differences there are void.
    """

    compared: int = 0
    errors: int = 0
    error: str | None = None
    failures: int = 0
    differences: Sequence[Differences] = ()
    spans: Sequence[EntitySpan] = ()


def comparisons_join(parts: Sequence[ShadowComparison]) -> ShadowComparison:
    """Return several comparisons, in their order, as one."""
    return ShadowComparison(
        compared=sum(part.compared for part in parts),
        errors=sum(part.errors for part in parts),
        error=next((part.error for part in reversed(parts) if part.error is not None), None),
        failures=sum(part.failures for part in parts),
        differences=[difference for part in parts for difference in part.differences],
        spans=[span for part in parts for span in part.spans],
    )


@dataclass(frozen=True, slots=True)
class Derived:
    """Arguments and outcome of `derive` for entities of one type, by the version in force, in columns."""

    derivation: Derivation
    entities: Sequence[bytes]
    inputs: Mapping[str, Column]
    begins_us: Instants
    ends_us: Instants
    states: Sequence[State]
    formula_context: FormulaContext
    outputs: Mapping[str, Column]

    def part(self, first: int, last: int) -> Derived:
        """Return a slice of the entities."""
        return replace(
            self,
            entities=self.entities[first:last],
            inputs=_slices(self.inputs, first, last),
            begins_us=self.begins_us[first:last],
            ends_us=self.ends_us[first:last],
            states=self.states[first:last],
            formula_context=self.formula_context.part(first, last),
            outputs=_slices(self.outputs, first, last),
        )


def shadow_compare(derived: Derived, *, failures: int = 0) -> ShadowComparison:
    """Compare the shadow version with the one in force. Pure.

    failures: how often it has failed in this transaction. Raises nothing: an entity it fails on is found by halving
    and counted, and the others go on.
    """
    if not derived.derivation.shadow or not derived.entities:
        return ShadowComparison()
    try:
        differences, compared = _differences(derived)
    except Exception as error:  # noqa: BLE001  (whatever is wrong with a version in shadow)
        if len(derived.entities) == 1 or failures + 1 > FAILURES_MAX:
            message = text_clean(repr(error), max_chars=_ERROR_MAX_CHARS)
            return ShadowComparison(errors=len(derived.entities), error=message, failures=1)
        half = len(derived.entities) // 2
        first = shadow_compare(derived.part(0, half), failures=failures + 1)
        second = shadow_compare(derived.part(half, len(derived.entities)), failures=failures + 1 + first.failures)
        return comparisons_join([ShadowComparison(failures=1), first, second])
    return ShadowComparison(compared, differences=differences)


def shadow_write(
    session: Session,
    *,
    organization_id: int,
    version: int,
    comparison: ShadowComparison,
    differences_max: int = DIFFERENCES_MAX,
) -> None:
    """Store a transaction's differences. One statement where nothing differs and nothing did, else up to four."""
    if comparison.errors:
        _log.warning(
            "shadow_failed: organization %s, version %s of %s, %s entities: %s",
            organization_id,
            version,
            DERIVE,
            comparison.errors,
            comparison.error,
        )
    common = {"organization_id": organization_id, "stage": DERIVE, "version": version}
    try:
        with session.begin_nested():
            _write(session, common, comparison, differences_max=differences_max)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        _log.exception("shadow_not_written: organization %s", organization_id)
        message = text_clean(repr(error.orig), max_chars=_ERROR_MAX_CHARS)
        failed = ShadowComparison(errors=max(len(comparison.spans), 1), error=message)
        session.execute(_RESULTS_ADD, {**common, **_results(failed)})


def _write(
    session: Session, common: Mapping[str, object], comparison: ShadowComparison, *, differences_max: int
) -> None:
    """Store results and differences. common: organization, stage and version, as arguments of the statements."""
    arrays_enable(session)
    row = session.execute(_RESULTS_ADD, {**common, **_results(comparison)}).one_or_none()
    if row is None:
        return
    forgotten, different = 0, sum(len(item.at) for item in comparison.differences)
    if row.different and comparison.spans:
        deleted = session.execute(_FORGET, {**common, **spans_columns(comparison.spans)})
        assert isinstance(deleted, CursorResult)  # noqa: S101  (what a DELETE gives)
        forgotten = deleted.rowcount
    stored = min(different, max(differences_max - (row.different - forgotten), 0))
    if stored:
        session.execute(_INSERT, {**common, **_columns(comparison.differences, stored)})
    if forgotten or different:
        session.execute(_COUNT, {**common, "gained": stored - forgotten, "omitted": different - stored})


def _results(comparison: ShadowComparison) -> dict[str, object]:
    return {"compared": comparison.compared, "errors": comparison.errors, "error": comparison.error}


def _columns(differences: Sequence[Differences], stored: int) -> dict[str, object]:
    entities = [entity for item in differences for entity in item.entities]
    metrics = [metric for item in differences for metric in [item.metric.encode()] * len(item.at)]
    return {
        "entities": uuid_array(b"".join(entities[:stored])),
        "metrics": text_array(metrics[:stored]),
        "at": instant_array(np.concatenate([item.at for item in differences])[:stored]),
        "versions": bigint_array(np.concatenate([item.versions for item in differences])[:stored]),
        "values": double_array(np.concatenate([item.values for item in differences])[:stored]),
        "shadow_values": double_array(np.concatenate([item.shadow_values for item in differences])[:stored]),
    }


def _differences(derived: Derived) -> tuple[list[Differences], int]:
    """Return where the versions differ, and how many points were compared."""
    sets = derived.derivation.shadow
    given = derive(
        sets=sets,
        inputs=derived.inputs,
        begins_us=derived.begins_us,
        ends_us=derived.ends_us,
        states=derived.states,
        formula_context=derived.formula_context,
    ).outputs
    differences, compared = [], 0
    for metric in {**derived.outputs, **given}:
        in_force = _within(derived.outputs.get(metric, NOTHING), sets)
        owner, at, values, shadow_values = _aligned(in_force, given.get(metric, NOTHING))
        compared += len(at)
        # NaN equals nothing: where one has no point, they differ.
        places = np.flatnonzero(values != shadow_values)
        if len(places):
            differences.append(
                Differences(
                    metric,
                    [derived.entities[n] for n in owner[places].tolist()],
                    at[places],
                    _versions(derived.derivation.sets, at[places]),
                    values[places],
                    shadow_values[places],
                )
            )
    return differences, compared


def _aligned(first: Column, second: Column) -> tuple[NDArray[np.int64], Instants, Values, Values]:
    """Return every instant of either column once, with the value of each; NaN where one has none."""
    owner, at = np.concatenate((first.owner, second.owner)), np.concatenate((first.at, second.at))
    is_second = np.repeat([False, True], [len(first), len(second)])
    order = np.lexsort((is_second, at, owner))
    owner, at, is_second = owner[order], at[order], is_second[order]
    begins = np.ones(len(at), dtype=np.bool_)
    begins[1:] = (owner[1:] != owner[:-1]) | (at[1:] != at[:-1])
    both = np.concatenate((first.values, second.values))[order]
    row = np.cumsum(begins) - 1
    columns = np.full((2, int(begins.sum())), np.nan)
    columns[is_second.astype(np.int64), row] = both
    return owner[begins], at[begins], columns[0], columns[1]


def _within(column: Column, sets: Sequence[FormulaSet]) -> Column:
    inside = np.zeros(len(column), dtype=np.bool_)
    for formula_set in sets:
        inside |= (column.at >= formula_set.begins_us) & (column.at < formula_set.ends_us)
    return column.take(inside)


def _versions(sets: Sequence[FormulaSet], at: Instants) -> NDArray[np.int64]:
    begins = np.array([formula_set.begins_us for formula_set in sets], dtype=np.int64)
    versions = np.array([formula_set.version for formula_set in sets], dtype=np.int64)
    return versions[np.searchsorted(begins, at, side="right") - 1]


def _slices(columns: Mapping[str, Column], first: int, last: int) -> dict[str, Column]:
    slices = {}
    for metric, column in columns.items():
        begins, ends = np.searchsorted(column.owner, (first, last)).tolist()
        part = column.take(np.arange(begins, ends))
        slices[metric] = replace(part, owner=part.owner - first)
    return slices
