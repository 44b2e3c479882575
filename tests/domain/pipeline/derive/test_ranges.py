"""Windows of one entity that lie far apart are derived in one transaction."""

from __future__ import annotations

from datetime import timedelta

from testing.deriving_plant import SUM, DerivingPlant
from testing.line import NOW


def test_late_and_live_readings_of_one_device_come_together(plant: DerivingPlant) -> None:
    begin = NOW - timedelta(days=100)
    plant.formulas(SUM, since=begin)
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=begin)
    plant.drain()
    times = [NOW - timedelta(minutes=1), NOW - timedelta(days=90), NOW - timedelta(days=30)]
    for n, t in enumerate(times):
        sent = {"device_id": device, "timestamp": t, "metrics": {"a": n, "b": 1}}
        plant.line.normalize(plant.line.send(sent))
    done = plant.derive([pump])
    assert plant.windows() == []
    assert plant.derived() == {(pump, t): n + 2.0 for n, t in enumerate(times)}
    assert done.commit is not None
    assert len(done.commit.changes) == len(times)
    [latest] = plant.line.rows(
        'SELECT l."timestamp", l.value FROM latest_values l JOIN series s ON s.organization_id = l.organization_id'
        " AND s.id = l.series_id WHERE s.organization_id = :o AND s.metric = 'total'",
        o=plant.organization_id,
    )
    assert tuple(latest) == (times[0], 2.0)
