# SPDX-License-Identifier: MIT
"""What must come of a case: measurements in all modes -> what is wrong with them. Pure."""

import reports
from program import WITHOUT

MODES = (WITHOUT, "warn", "drain", "fin")


def is_whole(case, one):
    return one.error == "" and case.payload(one.data) == case.expected


def count_whole(case, measured):
    return sum(is_whole(case, one) for one in measured.received)


def is_perfect(case, measured):
    """Every answer whole, nothing reset."""
    resets = measured.counters.aborts + measured.counters.broken
    return count_whole(case, measured) == len(measured.received) and resets == 0


def judge_program(measured, without):
    if not measured.was_running:
        yield "the program ended early: " + measured.output[-400:]
    elif measured.status != without.status:
        yield f"exit status {measured.status}, without the library {without.status}"
    if not measured.is_quiet:
        yield "a connection was left over"
    if "safeclose" in measured.output:
        yield "the program's own output has words of the library in it"


def judge_without(case, measured):
    if not measured.is_quiet or not measured.was_running:
        yield "the program misbehaves by itself"
    has_reset = measured.counters.aborts > 0 or (case.is_all_late and measured.counters.resets > 0)
    if case.is_reset and (not has_reset or is_perfect(case, measured)):
        yield "no reset: the case shows nothing"
    if not case.is_reset and not is_perfect(case, measured):
        yield "not whole"


def judge_listeners(listeners):
    """As long as the program is measured, its first process listens."""
    yield from reports.find_outcomes(listeners, reports.ENDS, "the listener went on")


def judge_warn(case, measured, without):
    """Nothing changes; and the audit is exact."""
    yield from judge_program(measured, without)
    if not case.is_reset and not is_perfect(case, measured):
        yield "not whole"
    found, listeners, others = reports.read(measured.report_lines)
    resets = [report for report in found if (report.outcome, report.why) == ("rst", "unread")]
    # What comes about the time of the close may come between the library's look and the close.
    is_exact = len(resets) == measured.counters.aborts
    if not is_exact and not (case.is_late and len(resets) < measured.counters.aborts):
        yield f"{len(resets)} resets reported, {measured.counters.aborts} counted"
    yield from judge_listeners(listeners)
    yield from ("not a report: " + line for line in others)


def judge_reports(case, measured, is_every_fin_true):
    found, listeners, others = reports.read(measured.report_lines)
    broken = {one.ports for one in measured.received if not is_whole(case, one)}
    yield from reports.find_theft(found)
    yield from reports.find_too_many_ends(found, [one.ports for one in measured.received])
    if is_every_fin_true:
        yield from reports.find_false_fin(found, broken)
        yield from reports.find_outcomes(found, ("rst", "timeout", "limit"), "no such end was due")
    if not case.is_shared:
        yield from reports.find_outcomes(found, ("shared",), "nobody else had it")
    yield from judge_listeners(listeners)
    yield from ("not a report: " + line for line in others)


def judge_drain(case, measured, without):
    yield from judge_program(measured, without)
    if not case.is_late and not is_perfect(case, measured):
        yield "not whole, or reset, though nothing came late"
    if count_whole(case, measured) < count_whole(case, without):
        yield "fewer whole answers than without the library"
    yield from judge_reports(case, measured, is_every_fin_true=not case.is_late)


def judge_fin(case, measured, without):
    yield from judge_program(measured, without)
    if not is_perfect(case, measured):
        yield "not whole, or reset"
    yield from judge_reports(case, measured, is_every_fin_true=True)


def judge(case, by_mode):
    """What is wrong, a line each, with its mode in front."""
    without = by_mode[WITHOUT]
    complaints = {
        WITHOUT: judge_without(case, without),
        "warn": judge_warn(case, by_mode["warn"], without),
        "drain": judge_drain(case, by_mode["drain"], without),
        "fin": judge_fin(case, by_mode["fin"], without),
    }
    return [f"{mode}: {one}" for mode, some in complaints.items() for one in some]
