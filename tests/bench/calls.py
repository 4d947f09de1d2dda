# SPDX-License-Identifier: MIT
"""What everyday calls cost under the library, and under what else shows closes."""

import os
import shutil
import statistics
import subprocess

from program import Trouble, environment

REPEATS = 5
MEMORY_REPEATS = 20
COUNTED = 200  # rounds whose system calls are counted
SETTINGS = {"SAFECLOSE_MODE": "fin"}

# What, rounds, rounds under a tracer, name, goal for calls, goal for time.
ROWS = (
    ("file", 200000, 5000, "dup, close of a file", "+1", "at most 1.5x"),
    ("pipe", 50000, 3000, "pipe, close, close", "+2", ""),
    ("dup2", 200000, 5000, "dup2 over a file", "+1", ""),
    ("fclose", 50000, 3000, "fopen, fclose", "+1", ""),
    ("syscall", 200000, 5000, "syscall()", "+0", ""),
    ("tcp", 4000, 1000, "connect, accept, close", "+3 at most", "at most 1.05x"),
    ("tcp-both", 4000, 1000, "connect, accept, close of both ends", "+6 at most", ""),
    ("serve", 4000, 1000, "accept, answer, close, in two processes", "", ""),
)

# Rounds in which the program itself asks what the library asks: what the system calls alone take.
ASKED = {"file": "file-asked", "tcp": "tcp-asked"}

WITHOUT, LIBRARY = "without", "the library"
TRACERS = (
    ("strace", ("strace", "-f", "-qq", "-e", "trace=close", "-o", "/dev/null")),
    ("strace --seccomp-bpf",
     ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=close", "-o", "/dev/null")),
    ("ltrace", ("ltrace", "-f", "-e", "close", "-o", "/dev/null")),
    ("bpftrace", ("bpftrace", "-e", "tracepoint:tcp:tcp_send_reset { @ = count(); }", "-c")),
)


def run(words, library=None):
    """Nanoseconds of a round; None where it fails."""
    done = subprocess.run(
        words,
        env=environment(library, SETTINGS),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("took ")]
    if done.returncode != 0 or not lines:
        return None
    return float(lines[-1].split()[1])


def must_run(words, library=None):
    measured = run(words, library)
    if measured is None:
        raise Trouble(" ".join(words) + " failed")
    return measured


def under(tracer, words):
    return [*tracer, " ".join(words)] if tracer[0] == "bpftrace" else [*tracer, *words]


def usable_tracers(program):
    """Installed, and allowed."""
    return {
        name: tracer
        for name, tracer in TRACERS
        if shutil.which(tracer[0]) and run(under(tracer, [program, "file", "10"]))
    }


def medians(measures):
    """Of what is measured, by name: for each of these functions, called in turn."""
    runs = [[] for _ in measures]
    for turn in range(REPEATS):
        # There and back: what a run leaves behind (connections in TIME_WAIT) slows the next one.
        for at in sorted(range(len(measures)), reverse=turn % 2 == 1):
            runs[at].append(measures[at]())
    return [
        {name: statistics.median(one[name] for one in measured) for name in measured[0]}
        for measured in runs
    ]


def in_turn(program, what, rounds, library):
    """Medians of nanoseconds: without, with the library, and asked by the program (or None)."""
    variants = [(what, None), (what, library)]
    variants += [(ASKED[what], None)] if what in ASKED else []
    measured = medians(
        [lambda one=one: {"took": must_run([program, one[0], str(rounds)], one[1])} for one in variants]
    )
    return [one["took"] for one in measured] + ([] if what in ASKED else [None])


def count_lines(words, library, trace):
    preload = [f"LD_PRELOAD={library}", "SAFECLOSE_MODE=fin"] if library else []
    options = [word for one in preload for word in ("-E", one)]
    must_run(["strace", "-f", "-qq", "-o", trace, *options, *words])
    with open(trace, encoding="utf-8", errors="replace") as file:
        return sum("resumed>" not in line and "+++" not in line for line in file)


def count_calls(program, what, library, folder):
    """System calls of a round, exactly: of many rounds less those of half as many."""
    trace = os.path.join(folder, "calls.trace")
    more, fewer = (
        count_lines([program, what, str(rounds)], library, trace) for rounds in (2 * COUNTED, COUNTED)
    )
    os.unlink(trace)
    return (more - fewer) / COUNTED


def measure(folder, library):
    """Rows: name, calls without, calls with, goal, ns without, ns with, ns where the program asks, goal,
    ns by tracer."""
    program = os.path.join(folder, "calls")
    tracers = usable_tracers(program)
    for what, rounds, traced_rounds, name, more, times in ROWS:
        plain, ours, asked = in_turn(program, what, rounds, library)
        counts = [None, None]
        if shutil.which("strace") and what != "serve":
            counts = [count_calls(program, what, which, folder) for which in (None, library)]
        traced = {}
        for tracer, words in tracers.items():
            traced[tracer] = run(under(words, [program, what, str(traced_rounds)]))
        yield name, counts, more, plain, ours, asked, times, traced


def memory_once(library):
    done = subprocess.run(
        ["cat", "/proc/self/smaps_rollup"],
        env=environment(library, {}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    fields = dict(line.split(":") for line in done.stdout.splitlines() if ":" in line[:24])
    return {name: float(fields[name].split()[0]) for name in ("Rss", "Pss")}


def memory_kb(library):
    """Of a `cat`: resident, and its share of that. Whole surroundings of a page that is touched are
    mapped, and where libc lies differs: hence many times."""
    runs = [memory_once(library) for _ in range(MEMORY_REPEATS)]
    return {name: statistics.median(one[name] for one in runs) for name in runs[0]}


def measure_start(folder, library):
    """Milliseconds of `true`, kilobytes of `cat`: without and with the library, in turn."""
    program = os.path.join(folder, "calls")
    words = [program, "start", "300", shutil.which("true")]
    return medians(
        [
            lambda which=which: {"ms": must_run(words, which) / 1e6, **memory_kb(which)}
            for which in (None, library)
        ]
    )


def stripped_bytes(library, folder):
    """Of the library's file, or None."""
    stripped = os.path.join(folder, "stripped.so")
    done = subprocess.run(["strip", "-o", stripped, library], check=False)
    if done.returncode != 0:
        return None
    size = os.path.getsize(stripped)
    os.unlink(stripped)
    return size
