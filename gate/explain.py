"""A decision in plain words: what was asked, what was measured, and what the policy says of it."""

from __future__ import annotations

from sigmaloop.gate.decision import Decision
from sigmaloop.gate.statistics import Estimate


def explained(log: Decision) -> tuple[str, ...]:
    """Lines for a person, from the log alone."""
    lines = [_headline(log), ""]
    for finding in log.findings:
        lines.append(f"{finding.gate}: {finding.outcome}, {finding.message}")
        lines += [
            f"  look at {look.planned:>4} rollouts, {look.tasks:>4} tasks: {100 * look.difference:+6.1f} points "
            f"+- {100 * look.standard_error:.1f}, z {look.z:+.2f}, rejected below {look.bound:+.2f}"
            for look in finding.looks
        ]
        if finding.control:
            beside = finding.control
            lines.append(
                f"  beside {beside.valid} rollouts of the incumbent made now: {100 * beside.difference:+6.1f} points "
                f"+- {100 * beside.standard_error:.1f}, z {beside.z:+.2f}, rejected below {beside.bound:+.2f}"
            )
        if finding.upper_bound_micros is not None:
            lines.append("  stopped early: no score, only what it could still have reached")
    lines += [""] if log.findings else []
    if log.suite_rate is not None:
        floor = log.rules.regression_floor
        lines.append(f"the suite's floor is {floor:.0%}; the incumbent itself passes {log.suite_rate:.0%} of its cases")
    if log.bet:
        lines.append(f"evidence: e-value {log.bet.final:.2f} over {log.bet.pairs} pairs, p {log.bet.anytime_p:.3f}")
    lines.append(f"incumbent before: {_estimate(log.before)}; after: {_estimate(log.after)}")
    lines.append("  (a running estimate: as a rule too high, the run's status says by how much)")
    lines.append(f"policy {log.rules.policy}, gate code {log.gate_code}, split {log.split_hash}, seed {log.run_seed}")
    return tuple(lines)


def verdict_of(log: Decision) -> str:
    """One word."""
    if log.outcome == "indecisive":
        return "indecisive"
    return "keep" if log.kept else "reject"


def _headline(log: Decision) -> str:
    subject = log.subject
    if log.veto and log.outcome == "passed":
        return f"{subject.candidate_id}: reject, by the {log.veto}, after it had passed the gates"
    if subject.canary:
        would = "would have kept" if log.outcome == "passed" else "did not keep"
        return f"{subject.candidate_id}: a canary ({subject.canary}) that the gates {would}"
    return f"{subject.candidate_id}: {verdict_of(log)}, decided at {log.stage} ({log.reason})"


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return "not measured"
    low, high = estimate.interval
    return f"{estimate.mean:.3f} (95 % {max(0.0, low):.3f} to {min(1.0, high):.3f})"
