"""The account the embedded servers run under, and the preparation of a child process for it.

PostgreSQL refuses to run as root. As root, Argus runs both servers under a numeric user id that owns nothing
else on the host, and gives it what lies inside the data directory; no permission outside of it is changed.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# A number that distributions leave free (60001..60513 is homed's, 61184 and up systemd's dynamic users).
SERVER_UID = 58451

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 4
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522


class AccountError(Exception):
    """The servers' account cannot reach what it needs."""


@dataclass(frozen=True, slots=True)
class Account:
    """uid: what the servers run under; None: the user who runs Argus.

    searches: the data directory or the programs lie below a directory that the account may not enter, so it is
    given the one capability that lets it pass (CAP_DAC_READ_SEARCH), which it loses with its process.
    """

    uid: int | None
    searches: bool


def account_for(*needed: Path) -> Account:
    """Choose the account for servers that need to reach the given paths.

    Raises AccountError where root cannot hand on the way to them.
    """
    if os.geteuid() != 0:
        return Account(uid=None, searches=False)
    hidden = [parent for path in needed for parent in path.resolve().parents if not _enterable(parent)]
    if not hidden:
        return Account(uid=SERVER_UID, searches=False)
    if not sys.platform.startswith("linux") or not _may_search():
        msg = (
            f"PostgreSQL does not run as root, and the account it runs under cannot enter {hidden[0]}. "
            "Choose a data directory elsewhere with --home (for instance /var/lib/argus), install Argus where "
            "every user may read it, or run Argus as an ordinary user."
        )
        raise AccountError(msg)
    return Account(uid=SERVER_UID, searches=True)


def own(account: Account, path: Path) -> None:
    """Give a file or directory inside the data directory to the account."""
    if account.uid is not None:
        os.chown(path, account.uid, account.uid, follow_symlinks=False)


def admit(account: Account, directory: Path) -> None:
    """Let the account, and no other, pass through the data directory to its own files."""
    if account.uid is not None:
        os.chown(directory, -1, account.uid)
        directory.chmod(0o710)


def own_tree(account: Account, root: Path) -> None:
    """Give a directory and all below it to the account."""
    own(account, root)
    for path in root.rglob("*"):
        own(account, path)


def named_uid() -> int:
    """Return the user id of `nobody`: initdb alone insists on a user that has a name."""
    return pwd.getpwnam("nobody").pw_uid


def preparation(account: Account, *, death_signal: signal.Signals, uid: int | None = None) -> Callable[[], None]:
    """Return what a child does between fork and exec: leave root, and ask to be ended with its parent.

    uid: another user id than the account's, in the account's group.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
    parent = os.getpid()

    def prepare() -> None:
        os.umask(0o077)
        # A process group: Ctrl-C in the terminal is the supervisor's to hand on, in order.
        os.setpgid(0, 0)
        if account.uid is not None:
            if account.searches and libc is not None:
                # Without it access(2), with which PostgreSQL looks for its programs, ignores capabilities.
                libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
            os.setgroups([])
            os.setgid(account.uid)
            os.setuid(account.uid if uid is None else uid)
            if account.searches and libc is not None:
                _keep_search(libc)
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _enterable(directory: Path) -> bool:
    return bool(directory.stat().st_mode & 0o001)


def _may_search() -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return bool(int(line.split()[1], 16) >> _CAP_DAC_READ_SEARCH & 1)
    return False


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _keep_search(libc: ctypes.CDLL) -> None:
    """Drop every capability but CAP_DAC_READ_SEARCH, and let that one survive exec."""
    bit = 1 << _CAP_DAC_READ_SEARCH
    data = (_Data * 2)(_Data(bit, bit, bit), _Data(0, 0, 0))
    header = _Header(_CAPABILITY_VERSION_3, 0)
    if libc.capset(ctypes.byref(header), data) != 0:
        os._exit(126)
    if libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0) != 0:
        os._exit(126)
