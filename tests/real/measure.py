# SPDX-License-Identifier: MIT
"""One measurement: a case in one mode, in a namespace of its own."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import namespace
from case import PORT
from exchange import SECONDS, Exchange, limit_window
from program import Program

START_SECONDS = 30
QUIET_SECONDS = 10
AT_ONCE = 4  # connections that a paused program finds; every backlog has room for them


@dataclass(frozen=True)
class Measured:
    """Truth from outside the program, and what program and library said."""

    received: list
    counters: namespace.Counters
    status: object  # of the program's exit; None: it did not end
    was_running: bool  # up to the end
    is_quiet: bool  # no connection was left over
    report_lines: list
    output: str


class Trouble(Exception):
    """The measurement cannot be made."""


def has_timed_out(received):
    return any(one.error == "ETIMEDOUT" for one in received)


def one_by_one(case):
    received = []
    while len(received) < case.connections and not has_timed_out(received):
        received.append(Exchange.connect(PORT, case.traffic).finish())
    return received


def several_at_once(case, program):
    """
    While the program is paused, so that whoever accepts finds the request there already. All go on
    at once: one that waited for its turn would be a peer that does not read.
    """
    received = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while len(received) < case.connections and not has_timed_out(received):
            with program.paused():
                exchanges = [Exchange.connect(PORT, case.traffic) for _ in range(AT_ONCE)]
            received += pool.map(Exchange.finish, exchanges)
    return received


def measure_server(case, folder, mode, library):
    namespace.enter()
    program = Program(case.command(folder), folder, mode, library, case.settings)
    try:
        is_ready = namespace.wait_for(
            lambda: namespace.is_listening(PORT) or not program.is_running(), START_SECONDS
        )
        if not is_ready or not program.is_running():
            raise Trouble("does not listen\n" + program.output())
        received = several_at_once(case, program) if case.is_shared else one_by_one(case)
        is_quiet = namespace.wait_for(namespace.is_quiet, QUIET_SECONDS)
        counters = namespace.read_counters()
        was_running = program.is_running()
    finally:
        status = program.stop()
    return Measured(
        received, counters, status, was_running, is_quiet, program.report_lines(), program.output()
    )


def serve_once(case, folder, mode, library, listener):
    program = Program(case.command(folder), folder, mode, library, case.settings)
    try:
        sock, _ = listener.accept()
        received = case.exchange(sock, case.traffic).finish()
        return received, program.await_end(), program
    finally:
        program.stop()


def measure_client(case, folder, mode, library):
    namespace.enter()
    received = []
    statuses = set()
    with socket.create_server(("127.0.0.1", PORT)) as listener:
        limit_window(listener)
        listener.settimeout(SECONDS)
        while len(received) < case.connections and not has_timed_out(received):
            one, status, program = serve_once(case, folder, mode, library, listener)
            received.append(one)
            statuses.add(status)
        is_quiet = namespace.wait_for(namespace.is_quiet, QUIET_SECONDS)
    return Measured(
        received,
        namespace.read_counters(),
        statuses,
        True,
        is_quiet,
        program.report_lines(),
        program.output(),
    )


def measure(case, folder, mode, library):
    """Raises Trouble."""
    try:
        if case.is_client:
            return measure_client(case, folder, mode, library)
        return measure_server(case, folder, mode, library)
    except (OSError, ValueError) as error:
        raise Trouble(str(error)) from error
