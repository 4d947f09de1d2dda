# SPDX-License-Identifier: MIT
"""
The program under test: started alone with the library preloaded, or without it, in a process group
of its own; stopped by that group. Its output is kept in a file for whoever reads a failure.
"""

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from namespace import wait_for

STOP_SECONDS = 10
LEAVE_SECONDS = 2  # for its children, some of which may have closed but not reported yet
WITHOUT = "without"  # the mode in which the library is not there


class Program:
    """folder: where its log and its reports go; as both names begin with the mode, all are kept."""

    def __init__(self, argv, folder, mode, library, settings=()):
        self.output_path = Path(folder, mode + ".output")
        self.reports_path = Path(folder, mode + ".reports")
        with open(self.output_path, "ab") as output:
            self.process = subprocess.Popen(
                argv,
                cwd=folder,
                env=environment(mode, library, self.reports_path, settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def is_running(self):
        return self.process.poll() is None

    def await_end(self):
        """Its exit status, negative for a signal; None if it still runs at the deadline."""
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def is_group_gone(self):
        """Orphans are this process's where it is the first of its namespace."""
        try:
            os.waitpid(-self.process.pid, os.WNOHANG)
        except ChildProcessError:
            pass
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def stop(self):
        """By SIGTERM, then by force, with its children. Its exit status, None if force was needed."""
        if self.is_running():
            self.process.terminate()
        status = self.await_end()
        if status is not None:
            wait_for(self.is_group_gone, LEAVE_SECONDS)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        return status

    @contextmanager
    def paused(self):
        """It finds what happens meanwhile all at once. Its children go on."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def output(self):
        return self.output_path.read_text(errors="replace")

    def report_lines(self):
        if not self.reports_path.exists():
            return []
        return self.reports_path.read_text(errors="replace").splitlines()


def environment(mode, library, reports_path, settings):
    clean = {
        name: value
        for name, value in os.environ.items()
        if name != "LD_PRELOAD" and not name.startswith("SAFECLOSE_")
    }
    if mode == WITHOUT:
        return clean
    return clean | {
        "LD_PRELOAD": str(library),
        "SAFECLOSE_MODE": mode,
        "SAFECLOSE_REPORT": "all",
        "SAFECLOSE_FORMAT": "json",
        "SAFECLOSE_LOG": str(reports_path),
        **dict(settings),
    }
