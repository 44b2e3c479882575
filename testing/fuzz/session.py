"""One run of the fuzzer: who calls, what was answered, which faults were found."""

from __future__ import annotations

import http.client
import itertools
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from graphql import GraphQLSchema, build_schema
from hypothesis import HealthCheck, Phase, given, seed, settings

from gql.errors import ErrorCode
from runtime.embedded.home import Home
from testing.fuzz.answers import OK, Outcome, Reply, code_of, errors_of, faults_of, outcome_of
from testing.fuzz.calls import Call, calls, operation_names
from testing.fuzz.known import Known
from testing.fuzz.plant import OUTSIDE, api_key, device_token, plant_learn, plant_make
from testing.installation import PROJECT, Client, Installation
from testing.waits import patient

SCHEMA: Final = PROJECT / "gql" / "schema.graphql"
# In names, attributes and metrics of another organization: nobody here may ever read it.
CANARY: Final = f"canary {uuid4()}"
CONFINED: Final = "confined key"
CALLERS: Final = ("admin", "viewer key", "device", "anonymous", CONFINED)
# A call that takes longer is a fault: the server ends each of them earlier.
ANSWER_SOON_S: Final = 30.0
ANSWER_S: Final = 60.0
# Faults of one kind and operation that are shown with their call.
SHOWN_MAX: Final = 2
CONNECTIONS: Final = 2
MESSAGE_CHARS: Final = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong with the answer of one call."""

    what: str
    caller: str
    call: Call
    answer: str


@dataclass(slots=True)
class Report:
    """What came of the calls of one caller."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    of_operation: dict[str, Counter[Outcome]] = field(default_factory=dict)
    messages: dict[str, Counter[str]] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")

    @property
    def calls(self) -> int:
        """All calls."""
        return self.outcomes.total()

    def add(self, call: Call, reply: Reply, taken_s: float) -> None:
        """Count one answer."""
        outcome = outcome_of(reply)
        self.outcomes[outcome] += 1
        self.of_operation.setdefault(call.operation, Counter())[outcome] += 1
        for error in errors_of(reply.body):
            self.codes[code_of(error)] += 1
            self.messages.setdefault(call.operation, Counter())[str(error.get("message"))[:MESSAGE_CHARS]] += 1
        self.slowest = max(self.slowest, (taken_s, call.document))

    def never(self, *outcomes: Outcome) -> list[str]:
        """Return the operations that never had one of these outcomes."""
        return sorted(name for name, of in self.of_operation.items() if not any(of[outcome] for outcome in outcomes))

    def lines(self) -> list[str]:
        """Return the report in words."""
        shares = ", ".join(f"{outcome} {count / self.calls:.0%}" for outcome, count in self.outcomes.most_common())
        refused = self.never(*(outcome for outcome in Outcome if outcome is not Outcome.REFUSED))
        never = [name for name in self.never(Outcome.DATA, Outcome.PARTIAL) if name not in refused]
        return [
            f"{self.calls} calls of {len(self.of_operation)} operations: {shares}",
            "codes: " + ", ".join(f"{code} {count}" for code, count in self.codes.most_common()),
            f"slowest answer: {self.slowest[0]:.2f} s",
            f"{len(refused)} operations were refused each time; {len(never)} others never answered with data, and say:",
            *(f"  {name}: {self.messages[name].most_common(1)[0][0]}" for name in never if name in self.messages),
        ]


@dataclass(slots=True)
class Session:
    """Calls every operation of an installation, in an organization of its own. first: number of its first round."""

    installation: Installation
    first: int = 0
    reports: dict[str, Report] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _schema: GraphQLSchema = field(default_factory=lambda: build_schema(SCHEMA.read_text()))
    _known: Known = field(default_factory=Known)
    _secrets: dict[str, str] = field(default_factory=dict)
    _tokens: dict[str, str | None] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _own: threading.local = field(default_factory=threading.local)

    def prepare(self) -> None:
        """Make two organizations, one of which nobody may see."""
        plant_make(self.installation.organization(f"{CANARY} {self.first}"), f"{CANARY}-", self.first)
        self.installation.organization(self._name)
        home = Home.read(self.installation.home)
        self._secrets = {
            "another organization's": CANARY,
            "the password of the database": home.postgres_password,
            "the password of the bus": home.valkey_password,
            "a secret": home.secret,
            "the secret of tokens": home.jwt_secret,
            "the data directory": str(self.installation.home),
            "the program's directory": f"{PROJECT}/",
        }

    def run(
        self,
        *,
        examples: int,
        callers: Sequence[str],
        seconds: float = math.inf,
        rounds: int | None = None,
        operations: Sequence[str] = (),
    ) -> None:
        """Call each operation so many times a round, as each caller, until the time or the rounds are over.

        operations: only these; all unless given.
        """
        end_s = time.monotonic() + seconds
        numbers = itertools.count(self.first) if rounds is None else range(self.first, self.first + rounds)
        with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
            for number in numbers:
                self._replenish(number)
                for name in operations or operation_names(self._schema):
                    if time.monotonic() > end_s:
                        return
                    for caller in callers:
                        self._run_operation(name, caller, number=number, examples=examples, pool=pool)

    def end(self) -> None:
        """Assert that the installation still answers."""
        assert self._admin().call("{ viewer { subject } }").data["viewer"]["subject"]

    def _replenish(self, number: int) -> None:
        """Make a small plant again, and the callers' tokens: what calls deleted is there once more."""
        admin = self._admin()
        plant_make(admin, "", number)
        self.installation.wait_processed(admin)
        plant_learn(admin, self._known)
        self._tokens = {
            "admin": admin.token,
            "viewer key": api_key(admin, "viewer"),
            CONFINED: api_key(admin, "admin", under="house"),
            "device": device_token(admin),
            "anonymous": None,
        }

    @property
    def _name(self) -> str:
        return f"Fuzzed {self.first}"

    def _admin(self) -> Client:
        """Return an admin with a new token: calls end all sessions, too."""
        return self.installation.client(self._name)

    def _run_operation(self, name: str, caller: str, *, number: int, examples: int, pool: ThreadPoolExecutor) -> None:
        waiting: deque[Future[None]] = deque()

        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @seed(number * len(CALLERS) + CALLERS.index(caller))
        @given(calls(self._schema, name, self._known))
        def send(drawn: Call) -> None:
            if len(waiting) > CONNECTIONS:
                waiting.popleft().result()
            waiting.append(pool.submit(self._call, caller, drawn))

        send()
        for future in waiting:
            future.result()

    def _call(self, caller: str, call: Call) -> None:
        begun = time.perf_counter()
        try:
            reply = self._post(call, self._tokens[caller])
        except (OSError, http.client.HTTPException) as error:
            self._own.connection = None
            self._note(Fault(f"no answer: {type(error).__name__}", caller, call, repr(error)))
            return
        taken_s = time.perf_counter() - begun
        if caller == "admin" and ErrorCode.UNAUTHENTICATED in map(code_of, errors_of(reply.body)):
            self._tokens[caller] = self._admin().token
        with self._lock:
            self.reports.setdefault(caller, Report()).add(call, reply, taken_s)
            if caller == "admin" and reply.status == OK:
                self._known.learn(reply.body.get("data"), call.operation)
        if taken_s > ANSWER_SOON_S:
            self._note(Fault(f"an answer after more than {ANSWER_SOON_S:.0f} s", caller, call, f"{taken_s:.1f} s"))
        secrets = {**self._secrets, "what lies elsewhere": OUTSIDE} if caller == CONFINED else self._secrets
        for what in faults_of(reply, secrets=secrets, sent=call.body):
            self._note(Fault(what, caller, call, reply.text))

    def _note(self, fault: Fault) -> None:
        with self._lock:
            self.counts[fault.what, fault.call.operation] += 1
            if self.counts[fault.what, fault.call.operation] <= SHOWN_MAX:
                self.faults.append(fault)

    def _post(self, call: Call, token: str | None) -> Reply:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            address = urlsplit(self.installation.url)
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=patient(ANSWER_S))
            self._own.connection = connection
        headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection.request("POST", "/graphql", body=call.body, headers=headers)
        with connection.getresponse() as response:
            text = response.read().decode()
        return Reply.of(response.status, text)
