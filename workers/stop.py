"""Stop a worker process in order, whatever its main thread is at."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn

# A process that is told to stop has so long to end what it does.
GRACE_S = 5.0
# A process that ends waits no longer until its output is written.
_OUTPUT_S: Final = 0.5


def stop_watch(stopping: threading.Event, *, overdue: Callable[[], None]) -> None:
    """Set `stopping` at SIGTERM, and call `overdue` where the process has not ended GRACE_S after it.

    A thread does both: a handler would run between two steps of the main thread, which may hold the very lock that
    `Event.set` takes, and not before a call outside of Python returns. Call it in the main thread.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # Python writes the number of each signal there that has a handler, as soon as it comes.
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)

    def watch() -> None:
        # The alarms that end jobs come here, too.
        while signal.SIGTERM not in os.read(reader, 1):
            pass
        stopping.set()
        time.sleep(GRACE_S)
        overdue()

    threading.Thread(target=watch, name="stop-watch", daemon=True).start()


@contextmanager
def stop_event() -> Iterator[asyncio.Event]:
    """Give an event that is set at SIGTERM, while an event loop runs in the main thread. Later signals are ignored.

    A loop closes its end of the pipe for signals before it lets go of them: one that came in between would leave a
    trace in the log.
    """
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def process_end(report: Callable[[], object] | None = None) -> NoReturn:
    """End this process at once, from any of its threads, whether or not anybody reads its output.

    report: logs why.
    """
    try:
        # Another thread may hold the lock of a buffer while it writes to a pipe that nobody reads.
        last = threading.Thread(target=_output_end, args=(report,), name="output-end", daemon=True)
        last.start()
        last.join(_OUTPUT_S)
    finally:
        os._exit(0)


def _output_end(report: Callable[[], object] | None) -> None:
    # An output may be closed, or a pipe whose reader has gone.
    if report is not None:
        with suppress(Exception):
            report()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
