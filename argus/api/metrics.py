"""The metrics of one API process: its own requests, and the state of the pipeline, which is the same for all."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.base.measured import Measured
from gql.server.streams import STREAM
from graph.errors import ArgusError

# Of the numbers in `pipeline_state()` and `deliveries_state()`, what each means.
PIPELINE: Final = {
    "argus_pipeline_unfinished_batches": "Batches of the raw log that no stage has finished",
    "argus_pipeline_unfinished_readings": "Readings in those batches",
    "argus_pipeline_lag_seconds": "Age of the oldest of those batches",
    "argus_stage_commits_total": "Batches a stage has committed",
    "argus_stage_lease_held": "1 while a worker runs the stage on the partition",
    "argus_stage_items_total": "Readings (normalize, attribute) or dirty windows (derive) a stage has processed",
    "argus_stage_errors_total": "Failures of a stage that cost a second attempt or an entry",
    "argus_stage_busy_seconds_total": "Time a stage has worked",
    "argus_stage_delay_seconds_total": "Seconds from receipt to commit, summed over the commits counted beside it",
    "argus_stage_delays_total": "Commits over which those seconds are summed",
    "argus_dirty_windows": "Windows that wait to be derived",
    "argus_dirty_window_age_seconds": "Age of the oldest of those windows",
    "argus_dirty_buckets": "Buckets that wait to be computed",
    "argus_dirty_bucket_age_seconds": "Age of the oldest of those buckets",
    "argus_event_changes_waiting": "Changes of events that are not acted on yet",
    "argus_event_change_age_seconds": "Age of the oldest of those changes",
    "argus_failed_items": "Items of queues that failed and are not done yet: retrying, or set aside",
    "argus_convergence_checks_total": "Entities whose derived state was compared with a recomputation",
    "argus_convergence_skipped_total": "Entities left out of such a comparison for work that waits on them",
    "argus_convergence_differences_total": "Differences found by it, each once",
    "argus_convergence_differences_open": "Differences found by it and not repaired",
    "argus_dead_letters_open": "Dead letters neither resolved nor discarded",
    "argus_readings_received_last_minute": "Readings received in the last minute",
    "argus_points_stored_last_minute": "Points stored of the readings received in the last minute",
    "argus_notifications_waiting": "Notifications that are not delivered yet",
    "argus_notification_first_call_age_seconds": "For how long the oldest of them that was never called has been due",
    "argus_webhook_heartbeat_age_seconds": "Time since a process that calls webhooks was last heard of",
    "argus_webhook_calls_total": "Calls of webhooks by outcome: delivered, failed, dead, lost",
    "argus_jobs_expired_total": "Jobs that no worker took up before their time was over",
}
_OTHER: Final = "other"
_TOTAL: Final = "_total"
# Statuses of answers that an alert counts.
_FAILURES: Final = ("500", "503", "504")

_log = structlog.get_logger(__name__)


class ReaderNumbers(Protocol):
    """Other processes of the same API."""

    async def metrics(self) -> Mapping[str, str]:
        """Return the metrics of each, in Prometheus's text format, by name."""
        ...

    def busy(self) -> Mapping[str, str]:
        """Return the names of those that do not answer, each with the reason."""
        ...


class ApiMetrics:
    """The numbers of one API process.

    routes: the application's, whose paths are the label `route`; any other path is `other`, so that guessed paths
    make no labels. gauges: read at each scrape, by name: (what it means, the number). counters: likewise, by name:
    (what it means, its label, the number by the label's value).
    """

    def __init__(
        self,
        *,
        routes: Sequence[BaseRoute],
        gauges: Mapping[str, tuple[str, Callable[[], float]]],
        counters: Mapping[str, tuple[str, str, Mapping[str, Callable[[], float]]]],
    ) -> None:
        self.registry = CollectorRegistry()
        self._routes = routes
        self._requests = Counter(
            "argus_http_requests", "HTTP requests answered", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "argus_http_request_duration_seconds", "Time to answer an HTTP request", ["route"], registry=self.registry
        )
        self._sockets = Gauge("argus_websockets_open", "WebSockets that are open", registry=self.registry)
        self._streams = Gauge(
            "argus_http_streams_open", "Answers over HTTP in parts that are being sent", registry=self.registry
        )
        self._up = Gauge("argus_part_up", "1 where a part answers", ["part"], registry=self.registry)
        # From 0 on: what a counter has when it is first seen is no increase of it.
        for route in routes:
            for method in sorted(getattr(route, "methods", None) or ()):
                for status in _FAILURES:
                    self._requests.labels(str(getattr(route, "path", _OTHER)), method, status)
        for name, (meaning, read) in gauges.items():
            Gauge(name, meaning, registry=self.registry).set_function(read)
        self.registry.register(_Counts(counters))

    def counted(self, app: ASGIApp) -> ASGIApp:
        """Return the application with its requests counted."""

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "websocket":
                with self._sockets.track_inprogress():
                    await app(scope, receive, send)
                return
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            status = 500
            began = time.perf_counter()
            is_stream = False

            async def sending(message: Message) -> None:
                nonlocal is_stream, status
                if message["type"] == "http.response.start":
                    status, is_stream = message["status"], STREAM in scope
                    self._streams.inc(is_stream)
                await send(message)

            try:
                await app(scope, receive, sending)
            finally:
                self._streams.dec(is_stream)
                route = self._route_of(scope)
                self._requests.labels(route, scope["method"], str(status)).inc()
                if not is_stream:
                    # A subscription takes as long as its client likes.
                    self._seconds.labels(route).observe(time.perf_counter() - began)

        return counting

    def own(self) -> bytes:
        """Return the metrics of this process alone, in Prometheus's text format."""
        return generate_latest(self.registry)

    def endpoint(
        self,
        *,
        state: Callable[[], Awaitable[list[Measured]]],
        unavailable: Callable[[], Awaitable[dict[str, str]]],
        readers: ReaderNumbers | None = None,
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler of /metrics.

        state: reads the pipeline's state. unavailable: returns what does not answer now. readers: other processes,
        whose metrics are returned with this one's.
        """

        async def metrics(_request: Request) -> Response:
            missing = await unavailable()
            for part in ("database", "bus"):
                self._up.labels(part).set(part not in missing)
            measured: list[Measured] = []
            if "database" not in missing:
                try:
                    measured = await state()
                except ArgusError as error:
                    _log.warning("metrics_incomplete", error=repr(error))
                    self._up.labels("database").set(False)
            pipeline = CollectorRegistry()
            pipeline.register(_Pipeline(measured))
            others: Mapping[str, str] = {}
            if readers is not None:
                others, silent = await readers.metrics(), readers.busy()
                for name in others:
                    self._up.labels(name).set(name not in silent)
            own = self.own()
            if readers is not None:
                own = generate_latest(_merged({"ingest": own.decode(), **others}))
            body = own + generate_latest(pipeline)
            return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

        return metrics

    def _route_of(self, scope: Scope) -> str:
        for route in self._routes:
            matched, _ = route.matches(scope)
            if matched is not Match.NONE:
                return str(getattr(route, "path", _OTHER)) or _OTHER
        return _OTHER


def _merged(texts: Mapping[str, str]) -> CollectorRegistry:
    """Return the metrics of several processes as one; their names become the label `process`."""
    families: dict[str, Metric] = {}
    for process, text in texts.items():
        for family in text_string_to_metric_families(text):
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            merged.samples += [
                sample._replace(labels={**sample.labels, "process": process}) for sample in family.samples
            ]
    registry = CollectorRegistry()
    registry.register(_Families(families.values()))
    return registry


class _Families(Collector):
    """Metric families that exist already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


class _Counts(Collector):
    """Counters that are kept elsewhere, read at each scrape."""

    def __init__(self, counters: Mapping[str, tuple[str, str, Mapping[str, Callable[[], float]]]]) -> None:
        self._counters = counters

    def collect(self) -> Iterable[Metric]:
        for name, (meaning, label, reads) in self._counters.items():
            family = CounterMetricFamily(name, meaning, labels=[label])
            for value, read in reads.items():
                family.add_metric([value], read())
            yield family


class _Pipeline(Collector):
    """The pipeline's numbers as families of metrics."""

    def __init__(self, measured: Iterable[Measured]) -> None:
        self._measured = list(measured)

    def collect(self) -> Iterable[Metric]:
        for name, meaning in PIPELINE.items():
            of_name = [gauge for gauge in self._measured if gauge.name == name]
            labels = sorted({label for gauge in of_name for label in gauge.labels})
            kind = CounterMetricFamily if name.endswith(_TOTAL) else GaugeMetricFamily
            family = kind(name, meaning, labels=labels)
            for gauge in of_name:
                family.add_metric([gauge.labels[label] for label in labels], gauge.value)
            yield family
