# SPDX-License-Identifier: MIT
"""
Programs that close a connection, with all of the request unread, which another process goes on
with: whoever meddles there steals the request or ends the answer.
"""

import os
import pwd
import shutil
import sys

from case import PORT, PROGRAMS, Case
from content import MEDIUM, WC_OF_MEDIUM, http, whole
from exchange import Traffic

CONNECTIONS = 20
TO_THE_END = Traffic(MEDIUM, is_half_closed=True)


def busybox(folder):
    return ["busybox", "httpd", "-f", "-p", f"127.0.0.1:{PORT}", "-h", folder]


def socat(_):
    return ["socat", "-t", "5", f"TCP-LISTEN:{PORT},bind=127.0.0.1,fork", "SYSTEM:wc"]


def inetd(folder):
    conf = folder / "inetd.conf"
    user = pwd.getpwuid(os.geteuid()).pw_name
    conf.write_text(f"127.0.0.1:{PORT} stream tcp nowait {user} {shutil.which('wc')} wc\n")
    return ["inetd", "-i", conf]


def cluster(_):
    return ["node", PROGRAMS / "cluster.js", str(PORT)]


def forking(_):
    return [sys.executable, PROGRAMS / "forking.py", str(PORT)]


def shared(program, what, needs, command, traffic, expected, **more):
    return Case(
        program,
        what,
        needs,
        command,
        traffic,
        expected,
        connections=CONNECTIONS,
        is_reset=False,
        is_shared=True,
        **more,
    )


CASES = [
    shared(
        "busybox httpd",
        "GET 300 KB",
        ("busybox",),
        busybox,
        Traffic(http(b"GET", b"/medium.txt")),
        MEDIUM,
    ),
    shared("socat fork", "SYSTEM:wc of 300 KB", ("socat",), socat, TO_THE_END, WC_OF_MEDIUM, payload=whole),
    shared("inetd", "wc of 300 KB", ("inetd",), inetd, TO_THE_END, WC_OF_MEDIUM, payload=whole),
    shared(
        "node cluster",
        "300 KB there and back",
        ("node",),
        cluster,
        Traffic(http(b"POST", b"/", MEDIUM)),
        MEDIUM,
    ),
    shared(
        "python3 ForkingTCPServer",
        "300 KB there and back",
        (),
        forking,
        TO_THE_END,
        MEDIUM,
        payload=whole,
    ),
]
