# SPDX-License-Identifier: MIT
"""
Private network namespaces, and what the kernel counts and lists in them.

enter() moves the calling process, which must have one thread, into a new namespace with lo up; what
it starts from then on lives there too. Counters begin at zero, every port is free, and no segment of
anybody else passes through. As root, or in a user namespace where that is allowed; else OSError.
"""

import ctypes
import fcntl
import os
import socket
import struct
import time
from dataclasses import dataclass

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
STATE_LISTEN = "0A"
STATES_OVER = ("06", STATE_LISTEN)  # TIME_WAIT: both ends are done with it


@dataclass(frozen=True)
class Counters:
    """
    aborts is TcpExt TCPAbortOnClose, resets Tcp OutRsts, broken Tcp EstabResets.

    Not every RST breaks something: where the last acknowledgement is doubled, the second finds the
    connection gone and is answered by an RST that reaches nobody. One that ends a connection
    somebody still has is among the broken, or is an error at an end that had finished sending.
    """

    aborts: int
    resets: int
    broken: int


def unshare(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "unshare: " + os.strerror(error))


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def enter_user_namespace():
    """As the same user: this process may set up networks there, but what it executes may not."""
    user, group = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER)
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{user} {user} 1")
    write("/proc/self/gid_map", f"{group} {group} 1")


def enter():
    try:
        unshare(CLONE_NEWNET)
    except PermissionError:
        enter_user_namespace()
        unshare(CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def counter(path, family, name):
    """Such a file has two lines a family: the names, then the values."""
    with open(path, encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith(family + ":")]
    return int(values[names.index(name)])


def read_counters():
    return Counters(
        counter("/proc/self/net/netstat", "TcpExt", "TCPAbortOnClose"),
        counter("/proc/self/net/snmp", "Tcp", "OutRsts"),
        counter("/proc/self/net/snmp", "Tcp", "EstabResets"),
    )


def tcp_sockets():
    """(local port, state) of each TCP socket in the namespace."""
    for path in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        if not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as file:
            for line in list(file)[1:]:
                words = line.split()
                yield int(words[1].rpartition(":")[2], 16), words[3]


def wait_for(condition, seconds):
    """Look every few milliseconds. Returns whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.005)
    return True


def is_listening(port):
    """Seen from outside: a connection made to find out would be one more for the program."""
    return (port, STATE_LISTEN) in tcp_sockets()


def is_quiet():
    """No connection is left, on either side, so no further segment can come."""
    return all(state in STATES_OVER for _, state in tcp_sockets())
