"""Fork reader processes from a process that has loaded everything a reader needs.

Loading takes a reader two seconds of a processor and a hundred megabytes; a fork takes milliseconds and shares the
memory. The process that listens has threads, and a process with threads cannot be forked safely. So before it starts
any it forks the template, which does nothing but fork readers when it is told to.
"""

from __future__ import annotations

import errno
import math
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, NoReturn

from runtime.process_name import process_name_set

# What a reader runs: the file of its channel, and whether it is the one for WebSockets; returns its exit status.
Run = Callable[[int, bool], int]

NAME: Final = "argus-template"
_REQUEST_MAX_BYTES: Final = 64
_IS_LIVE, _IS_READER = b"l", b"r"
# A process id, and the status with which it ended; None yet: _STARTED.
_REPORT: Final = struct.Struct("=qi")
_STARTED: Final = 1 << 16
# No process: none could be made just now; the status is the number of the error.
_NO_PID: Final = 0
# A fork takes milliseconds. The process that listens waits for it, and so does whoever sends to it.
_TIMEOUT_S: Final = 2.0
_LOOK_S: Final = 0.02


class TemplateEndedError(OSError):
    """The template has ended: no reader can be started any more."""


class ReaderProcess:
    """A forked reader, with the methods of `subprocess.Popen` that a supervisor needs."""

    def __init__(self, template: Template, pid: int, file: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._template, self._file = template, file
        # Around every use of the file: once it is closed, its number may be another file's.
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return its exit status; None: it runs."""
        with self._lock:
            if self.returncode is None and _readable([self._file], timeout_s=0.0):
                self.returncode = self._template.status(self.pid)
                os.close(self._file)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended and return its exit status. Raises subprocess.TimeoutExpired."""
        deadline_s = math.inf if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() >= deadline_s:
                raise subprocess.TimeoutExpired(NAME, timeout or 0.0)
            time.sleep(_LOOK_S)
        return status

    def send_signal(self, number: int, /) -> None:
        """Send it a signal, where it still runs."""
        with self._lock:
            if self.returncode is None:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._file, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Template:
    """The template, as the process that listens sees it."""

    def __init__(self, pid: int, end: socket.socket) -> None:
        self._pid, self._end = pid, end
        self._lock = threading.Lock()
        self._statuses: dict[int, int] = {}
        end.settimeout(_TIMEOUT_S)

    @staticmethod
    def fork(run: Run) -> Template:
        """Fork the template off this process, which has no threads yet. It ends with this process."""
        own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            own.close()
            _serve(other, run)
        other.close()
        return Template(pid, own)

    def start(self, name: str, file: int, *, is_live: bool) -> ReaderProcess:
        """Start a reader. name: as `ps` and `top` show it. file: its end of the channel.

        Raises OSError where the system makes no process just now, TemplateEndedError.
        """
        request = (_IS_LIVE if is_live else _IS_READER) + name.encode()
        with self._lock:
            try:
                socket.send_fds(self._end, [request], [file])
                while True:
                    pid, status, files = self._report()
                    if pid == _NO_PID or status == _STARTED:
                        break
                    self._statuses[pid] = status
            except OSError as error:
                self._give_up()
                msg = f"the process that forks readers does not answer ({error!r})"
                raise TemplateEndedError(msg) from error
        if pid == _NO_PID:
            raise OSError(status, os.strerror(status))
        return ReaderProcess(self, pid, files[0])

    def status(self, pid: int) -> int:
        """Return the exit status of a reader that has ended; -SIGKILL where the template has ended, too."""
        with self._lock:
            try:
                while pid not in self._statuses:
                    ended, status, _ = self._report()
                    self._statuses[ended] = status
            except OSError:
                self._give_up()
            return self._statuses.pop(pid, -signal.SIGKILL)

    def is_running(self) -> bool:
        """Return whether it can start readers."""
        try:
            return os.waitpid(self._pid, os.WNOHANG)[0] == 0
        except ChildProcessError:
            return False

    def close(self) -> None:
        """End it, when its readers have ended."""
        self._end.close()
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _give_up(self) -> None:
        """End a template that does not answer, before its late answer is taken for another's."""
        self._end.close()
        if self.is_running():
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _report(self) -> tuple[int, int, list[int]]:
        message, files, _, _ = socket.recv_fds(self._end, _REPORT.size, 1)
        if not message:
            raise ConnectionResetError
        pid, status = _REPORT.unpack(message)
        return pid, status, files


def _readable(files: Iterable[int], *, timeout_s: float | None) -> list[int]:
    """Return the files that can be read, after a wait for the first one. timeout_s: None: without end."""
    # Unlike select it takes files of any number.
    poller = select.poll()
    for file in files:
        poller.register(file, select.POLLIN)
    return [file for file, _ in poller.poll(None if timeout_s is None else timeout_s * 1000)]


def _serve(end: socket.socket, run: Run) -> NoReturn:
    """Be the template: fork a reader for each request, and report those that end."""
    # A Ctrl-C in a terminal reaches all processes: this one ends with the process that listens, after its readers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    process_name_set(NAME)
    own_status = 1
    try:
        readers: dict[int, int] = {}
        is_open = True
        while is_open:
            for file in _readable([end.fileno(), *readers], timeout_s=None):
                if file == end.fileno():
                    is_open = _fork_one(end, readers, run)
                else:
                    pid = readers.pop(file)
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    os.close(file)
                    end.send(_REPORT.pack(pid, status))
        own_status = 0
    except ConnectionError:
        # The process that listens has ended meanwhile.
        own_status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(own_status)


def _fork_one(end: socket.socket, readers: dict[int, int], run: Run) -> bool:
    """Fork the reader of one request; return False where there will be no more. readers: process ids by pidfd."""
    request, files, _, _ = socket.recv_fds(end, _REQUEST_MAX_BYTES, 1)
    if not request:
        return False
    try:
        # The kernel leaves a file out where this process has too many.
        file = files[0] if files else _too_many_files()
        try:
            pid = os.fork()
        except OSError:
            os.close(file)
            raise
        if pid == 0:
            end.close()
            for other in readers:
                os.close(other)
            _be_reader(run, file, name=request[1:].decode(), is_live=request[:1] == _IS_LIVE)
        os.close(file)
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
    except OSError as error:
        end.send(_REPORT.pack(_NO_PID, error.errno or errno.EAGAIN))
        return True
    readers[pidfd] = pid
    socket.send_fds(end, [_REPORT.pack(pid, _STARTED)], [pidfd])
    return True


def _too_many_files() -> NoReturn:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def _be_reader(run: Run, file: int, *, name: str, is_live: bool) -> NoReturn:
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        process_name_set(name)
        status = run(file, is_live)
    except KeyboardInterrupt:
        status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
