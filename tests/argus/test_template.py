"""The process that forks readers, in a process of its own: this one has threads."""

from __future__ import annotations

import subprocess
import sys

from testing.installation import PROJECT
from testing.waits import patient

# What a reader does is what its channel says: end with a status, fail, or wait for the end of the channel.
_BEGIN = """
import os, signal, socket, sys, time
from argus.api.readers.template import Template, TemplateEndedError

def run(file, is_live):
    name = open("/proc/self/comm").read().strip()
    with socket.socket(fileno=file) as channel:
        while order := channel.recv(16):
            if order == b"fail":
                raise RuntimeError("no such order")
            if order == b"who":
                channel.send(f"{name} {is_live}".encode())
            else:
                return int(order)
    return 0

def reader(template, name="reader-1", is_live=False):
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with other:
        return own, template.start(name, other.fileno(), is_live=is_live)

template = Template.fork(run)
"""


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + code],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_readers_have_their_names_and_report_how_they_ended() -> None:
    errors = _run("""
one, first = reader(template)
two, second = reader(template, "live", True)
three, third = reader(template)
one.send(b"who")
two.send(b"who")
assert (one.recv(99), two.recv(99)) == (b"reader-1 False", b"live True")
assert [each.poll() for each in (first, second, third)] == [None, None, None]
# Ended in another order than they are asked for.
three.send(b"fail")
assert third.wait(30) == 1
second.kill()
one.send(b"7")
assert (first.wait(30), second.wait(30), third.poll()) == (7, -9, 1)
first.kill()
four, fourth = reader(template)
four.close()
assert fourth.wait(30) == 0
template.close()
assert not template.is_running()
""")
    assert "RuntimeError: no such order" in errors


def test_where_the_system_makes_no_process_the_template_goes_on() -> None:
    _run("""
# A template whose first fork fails.
def broken(fork=os.fork):
    os.fork = fork
    raise OSError(11, "no")
template.close()
fork = os.fork
def fork_template():
    pid = fork()
    if pid == 0:
        os.fork = broken
    return pid
os.fork = fork_template
template = Template.fork(run)
os.fork = fork
try:
    reader(template)
except TemplateEndedError:
    sys.exit("ended")
except OSError as error:
    assert error.errno == 11
else:
    sys.exit("started")
one, first = reader(template)
one.send(b"3")
assert first.wait(30) == 3
template.close()
""")


def test_a_process_with_many_files_watches_its_readers() -> None:
    _run("""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (2000, max(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
files = [os.dup(0) for _ in range(1100)]
one, first = reader(template)
assert first.poll() is None
one.send(b"5")
assert first.wait(30) == 5
template.close()
""")


def test_a_template_that_does_not_answer_is_ended() -> None:
    _run("""
template._end.settimeout(0.2)
os.kill(template._pid, signal.SIGSTOP)
try:
    reader(template)
except TemplateEndedError:
    pass
else:
    sys.exit("started")
while template.is_running():
    time.sleep(0.01)
template.close()
""")


def test_without_the_template_no_reader_starts() -> None:
    _run("""
one, first = reader(template)
one.send(b"who")
assert one.recv(99) == b"reader-1 False"
assert template.is_running()
os.kill(template._pid, signal.SIGKILL)
while template.is_running():
    time.sleep(0.01)
try:
    reader(template)
except TemplateEndedError as error:
    assert "forks readers" in str(error)
else:
    sys.exit("started")
# A reader runs until its channel ends; how it ended is unknown.
one.send(b"who")
assert one.recv(99) == b"reader-1 False"
assert first.poll() is None
one.close()
assert first.wait(30) == -9
template.close()
""")


def test_the_template_ends_with_the_process_that_forked_it() -> None:
    _run("""
import ctypes
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # Whoever is left behind becomes this process's child.
own, other = socket.socketpair()
middle = os.fork()
if middle == 0:
    another = Template.fork(run)
    channel, process = reader(another)
    own.send(f"{another._pid} {process.pid}".encode())
    time.sleep(600)
left = {int(pid) for pid in other.recv(99).split()}
assert len(left) == 2
os.kill(middle, signal.SIGKILL)
assert os.waitpid(middle, 0)[0] == middle
# The reader is reaped here or by its template, whichever ends first.
while left:
    os.waitpid(-1, os.WNOHANG)
    left = {pid for pid in left if os.path.exists(f"/proc/{pid}")}
    time.sleep(0.01)
template.close()
""")
