"""How long answers take, as ratios to the same JSON from a plain route and to Strawberry as it comes.

A whole `argus up` on this machine. Both references answer from memory, without a database, a token or a check. All are
asked in turns on one connection each, so that what else runs here falls on all alike; then eight clients repeat the
queries of dashboards for a while. PostGraphile on the same tables is asked too, where it is installed
(`npm install --prefix DIRECTORY postgraphile@4`, and that directory is given).

    python -m benchmarks.api [rounds] [seconds of the mix] [--postgraphile DIRECTORY]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from benchmarks.api.postgraphile import CLI, postgraphile_serve
from benchmarks.api.postgraphile import QUERIES as POSTGRAPHILE
from benchmarks.api.queries import ASSETS, INGEST, LIST, NESTED, QUERIES, READINGS, TELEMETRY, plant_make, readings
from benchmarks.api.references import STOCK
from runtime.settings.load import settings_load
from testing.installation import Installation, environment, free_port
from testing.waits import wait_until

CLIENTS = 8
MIX = (LIST, NESTED, TELEMETRY)


def asking(port: int, path: str, body: bytes, token: str | None = None) -> Callable[[], bytes]:
    """Return a function that sends a request on a persistent connection and returns the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})

    def ask() -> bytes:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        received = answer.read()
        assert answer.status == 200, received[:500]
        return received

    return ask


def body_of(query: str, variables: object = None) -> bytes:
    """Return the body of a GraphQL request."""
    return json.dumps({"query": query, "variables": variables}).encode()


def timed(askers: list[Callable[[], bytes]], rounds: int) -> list[float]:
    """Return the median time of each, in milliseconds, asked in turns."""
    times: list[list[float]] = [[] for _ in askers]
    for _ in range(rounds + 3):
        for place, ask in enumerate(askers):
            begin = time.perf_counter()
            ask()
            times[place].append((time.perf_counter() - begin) * 1000)
    return [median(of_one[3:]) for of_one in times]


def mixed(port: int, token: str, seconds: float) -> float:
    """Return the answers per second of clients that repeat the queries of dashboards."""
    end = time.perf_counter() + seconds
    counts = [0] * CLIENTS

    def run(client: int) -> None:
        askers = [asking(port, "/graphql", body_of(query), token) for query in MIX]
        while time.perf_counter() < end:
            askers[(client + counts[client]) % len(askers)]()
            counts[client] += 1

    threads = [threading.Thread(target=run, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def main(rounds: int = 50, seconds: float = 10.0, postgraphile: Path | None = None) -> None:
    """Measure, and print a table. postgraphile: where npm has installed it."""
    with tempfile.TemporaryDirectory() as directory:
        installation = Installation(Path(directory) / "argus")
        installation.start("--no-demo")
        try:
            client = installation.organization("Bench")
            assert client.token is not None
            plant_make(client)
            installation.wait_processed(client)
            answers = Path(directory) / "answers.json"
            bodies = {name: body_of(query) for name, query in QUERIES.items()}
            replies = {
                name: json.loads(asking(installation.port, "/graphql", body, client.token)())
                for name, body in bodies.items()
            }
            assert not any("errors" in reply for reply in replies.values()), replies
            answers.write_text(json.dumps(replies))
            bodies["ingest"] = body_of(INGEST, {"r": readings()})
            port = free_port()
            command = [sys.executable, "-m", "benchmarks.api.references", str(answers), str(port)]
            with subprocess.Popen(command) as references:
                try:
                    _compare(installation.port, client.token, port, bodies, rounds=rounds)
                finally:
                    references.terminate()
            _postgraphile_compare(installation, client.token, postgraphile, bodies, rounds=rounds)
            print(f"mix: {mixed(installation.port, client.token, seconds):.1f} answers/s of {CLIENTS} clients")
        finally:
            installation.stop()


def _is_there(port: int, path: str, body: bytes) -> bool:
    try:
        asking(port, path, body)()
    except OSError:
        return False
    return True


def _postgraphile_compare(
    installation: Installation, token: str, prefix: Path | None, bodies: dict[str, bytes], *, rounds: int
) -> None:
    if prefix is None or not (prefix / CLI).is_file():
        print("PostGraphile is left out: --postgraphile names no directory that it is installed in.")
        return
    owner_url = settings_load(installation.home, environment=environment()).database_url("owner")
    with postgraphile_serve(prefix, owner_url) as port:
        wait_until(lambda: _is_there(port, "/graphql", body_of("{ __typename }")))
        print(f"{'':12}{'Argus, ms':>12}{'PostGraphile':>14}{'x':>8}")
        for name, query in POSTGRAPHILE.items():
            other = asking(port, "/graphql", body_of(query))
            nodes = json.loads(other())["data"]["allEntities"]["nodes"]
            assert len(nodes) == ASSETS, nodes
            argus, compared = timed([asking(installation.port, "/graphql", bodies[name], token), other], rounds)
            print(f"{name:12}{argus:12.2f}{compared:14.2f}{argus / compared:8.2f}")


def _compare(port: int, token: str, references_port: int, bodies: dict[str, bytes], *, rounds: int) -> None:
    wait_until(lambda: _is_there(references_port, "/plain/__typename", bodies["__typename"]))
    print(f"{'':12}{'Argus, ms':>12}{'plain, ms':>12}{'stock, ms':>12}{'x plain':>10}{'x stock':>10}")
    for name, body in bodies.items():
        variables = json.loads(body)["variables"]
        argus, plain, stock = timed(
            [
                asking(port, "/graphql", body, token),
                asking(references_port, f"/plain/{name}", body),
                asking(references_port, "/stock/", body_of(STOCK[name], variables)),
            ],
            rounds,
        )
        if name == "ingest":
            # More rounds than a device's quota has readings for would measure how fast they are refused.
            last = json.loads(asking(port, "/graphql", body, token)())["data"]["ingestTelemetry"]
            assert last == {"accepted": READINGS, "rejected": 0}, last
        print(f"{name:12}{argus:12.2f}{plain:12.2f}{stock:12.2f}{argus / plain:10.1f}{argus / stock:10.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("rounds", type=int, nargs="?", default=50)
    parser.add_argument("seconds", type=float, nargs="?", default=10.0)
    parser.add_argument("--postgraphile", type=Path, metavar="DIRECTORY")
    given = parser.parse_args()
    main(given.rounds, given.seconds, given.postgraphile)
