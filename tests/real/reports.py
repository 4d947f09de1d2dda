# SPDX-License-Identifier: MIT
"""The library's reports: lines of SAFECLOSE_FORMAT=json, read, and held against the truth."""

import json
from collections import Counter
from dataclasses import dataclass

ENDS = ("fin", "rst", "timeout", "limit")  # the others leave the connection to somebody else


@dataclass(frozen=True)
class Report:
    """ports: of both ends, or the one of a listener."""

    outcome: str
    why: str
    ports: frozenset
    line: str


def port_of(address):
    return int(address.rpartition(":")[2])


def parse(line):
    """None where the line is not understood."""
    try:
        report = json.loads(line)
        ends = (report["local"], report["peer"])
        ports = frozenset(port_of(address) for address in ends if address is not None)
        return Report(report["outcome"], report["why"] or "", ports, line)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def read(lines):
    """The reports of connections, those of listeners, and the lines that are neither."""
    parsed = [(line, parse(line)) for line in lines]
    reports = [report for _, report in parsed if report]
    return (
        [report for report in reports if len(report.ports) == 2],
        [report for report in reports if len(report.ports) == 1],
        [line for line, report in parsed if not report],
    )


def find_theft(reports):
    for report in reports:
        if report.why == "still held elsewhere":
            yield "a connection was touched that somebody else held: " + report.line


def find_too_many_ends(reports, all_ports):
    """A connection ends once. all_ports: of every connection; the kernel may choose some again."""
    connections = Counter(all_ports)
    ends = Counter(report.ports for report in reports if report.outcome in ENDS)
    for report in reports:
        if report.outcome in ENDS and ends[report.ports] > connections[report.ports]:
            yield "reported more than one end: " + report.line


def find_false_fin(reports, broken_ports):
    for report in reports:
        if report.outcome == "fin" and report.ports in broken_ports:
            yield "the other end saw no such end: " + report.line


def find_outcomes(reports, outcomes, complaint):
    for report in reports:
        if report.outcome in outcomes:
            yield f"{complaint}: {report.line}"
