# SPDX-License-Identifier: MIT
"""The table: a line for each case, written when it is done."""

from collections import Counter

from judge import MODES

PROGRAM_WIDTH = 24
WHAT_WIDTH = 28
BYTES_WIDTH = 17
ERROR_WIDTH = 13
COUNT_WIDTH = 3


def cell(least, error, aborts, resets):
    """least: the bytes of the answer that came off worst."""
    return (
        f"{least:>{BYTES_WIDTH}} {error:<{ERROR_WIDTH}}"
        f"{aborts:>{COUNT_WIDTH}}{resets:>{COUNT_WIDTH}}"
    )


def errors_of(received):
    """"5 ECONNRESET"; of different errors the most frequent, with a + behind."""
    counts = Counter(one.error for one in received if one.error).most_common()
    if not counts:
        return "-"
    error, count = counts[0]
    return f"{count} {error}" + ("+" if len(counts) > 1 else "")


def cell_of(case, measured):
    least = min(len(case.payload(one.data)) for one in measured.received)
    return cell(
        f"{least}/{len(case.expected)}",
        errors_of(measured.received),
        measured.counters.aborts,
        measured.counters.resets,
    )


def row(program, what, cells, verdict):
    print(f"{program:<{PROGRAM_WIDTH}} {what:<{WHAT_WIDTH}}", *cells, verdict, sep=" | ", flush=True)


def print_head():
    width = len(cell("", "", "", ""))
    print("Each mode: least bytes of an answer/of, errno, TCPAbortOnClose, OutRsts.")
    row("program", "what", [f"{mode:^{width}}" for mode in MODES], "verdict")


def print_case(case, by_mode, complaints):
    cells = [cell_of(case, by_mode[mode]) for mode in MODES]
    row(case.program, case.what, cells, "FAILED" if complaints else "ok")
    for complaint in complaints:
        print("    " + complaint)


def print_without_cells(case, verdict):
    row(case.program, case.what, [], verdict)
