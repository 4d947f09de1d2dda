# SPDX-License-Identifier: MIT
"""What close() with unread bytes costs the thread that calls it, and what lingering costs."""

import os
import statistics
import subprocess

from program import FOREVER, Program, Trouble

REPEATS = 5
OTHER_PROCESSES = 300
SILENT = 100
PROCESSOR_ROW = "processor time of the caller, mean"
DESCRIPTORS_BESIDES = 5  # of the thread: ".", "..", channel, log, epoll set


def close_once(folder, library, count, others, birth, gap_us):
    """One run. Numbers by name: nanoseconds, kilobytes."""
    settings = dict(FOREVER, SAFECLOSE_MODE="fin", SAFECLOSE_LINGER_MAX=str(count + 100))
    words = [os.path.join(folder, "closer"), count, others, birth, gap_us]
    with Program(words, library, settings) as server:
        port = int(server.hear("port")["port"])
        with Program([os.path.join(folder, "clients"), port, count]) as clients:
            clients.hear("connected")
            server.hear("ready")
            server.say("close")
            measured = server.hear("closed")
            ended = clients.hear("ended")
            server.say("rest")
            measured.update(server.hear("rested"))
            server.say("end")
    if library and ended["resets"] > 0:
        raise Trouble(f"{ended['resets']:.0f} connections were reset")
    measured["all-ended"] = ended["last"] - measured["begun"]
    return measured


def close_in_turn(folder, library, count, others=0, birth="sole", gap_us=0):
    """Without and with the library, in turn. The medians of each."""
    runs = {None: [], library: []}
    for _ in range(REPEATS):
        for which in runs:
            runs[which].append(close_once(folder, which, count, others, birth, gap_us))
    medians = {}
    for which, measured in runs.items():
        medians[which] = {
            name: statistics.median(one[name] for one in measured) for name in measured[0]
        }
    return medians[None], medians[library]


class OtherProcesses:
    """A host that is busy with nothing in particular."""

    def __enter__(self):
        self.all = [subprocess.Popen(["sleep", "600"]) for _ in range(OTHER_PROCESSES)]

    def __exit__(self, *_):
        for process in self.all:
            process.kill()
        for process in self.all:
            process.wait()


def in_us(plain, ours, name):
    return plain[name] / 1000, ours[name] / 1000


def compare(plain, ours):
    """The mean counts what the thread waited for a processor too; its processor time does not."""
    return [
        ("close(), mean", *in_us(plain, ours, "mean"), "µs", "at most 2x"),
        (PROCESSOR_ROW, *in_us(plain, ours, "processor"), "µs", ""),
        ("close(), median", *in_us(plain, ours, "p50"), "µs", ""),
        ("close(), p99", *in_us(plain, ours, "p99"), "µs", "at most 1000 µs"),
        ("close(), longest", *in_us(plain, ours, "max"), "µs", ""),
        ("all peers have the end", plain["all-ended"] / 1e6, ours["all-ended"] / 1e6, "ms", ""),
    ]


def measure_lingering(folder, library, count):
    plain, ours = close_in_turn(folder, library, count)
    rows = compare(plain, ours)
    each = ours["rss"] * 1024 / count
    each_pss = ours["pss"] * 1024 / count
    rows += [
        ("memory of the process (RSS), each", None, each, "bytes", "at most 512"),
        ("memory of the process (PSS), each", None, each_pss, "bytes", ""),
        ("lingering at once", None, ours["lingering"] - DESCRIPTORS_BESIDES, "", f"{count}"),
        ("processor time in a second", plain["spent"] / 1000, ours["spent"] / 1000, "µs", "1x"),
    ]
    return rows


def measure_one_by_one(folder, library, count):
    rows = compare(*close_in_turn(folder, library, count, gap_us=100))
    return [row for row in rows if row[0] != PROCESSOR_ROW]  # the gaps are in it


def measure_silent(folder, library):
    """The longest of all: what an event loop is held up by at worst."""
    rows = compare(*close_in_turn(folder, library, SILENT))
    return [
        (*row[:4], "at most 1000 µs" if row[0] == "close(), longest" else row[4]) for row in rows
    ]


def measure_crowded(folder, library, count, others, birth):
    with OtherProcesses():
        rows = compare(*close_in_turn(folder, library, count, others, birth))
    name, plain, ours, unit, _ = rows[-1]
    return rows[:-1] + [(name, plain, ours, unit, "at most 1000 ms")]
