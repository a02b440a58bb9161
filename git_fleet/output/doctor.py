"""`git fleet doctor`: what is wrong, what may be done about it."""

from collections.abc import Sequence

from git_fleet.model.care import Finding, Severity
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.style import DIM, WARM, Style, paint

SCHEMA = "git-fleet.doctor.v1"


def text(findings: Sequence[Finding], style: Style, *, repaired: bool) -> str:
    """One paragraph for each finding, and what it comes to."""
    return "\n".join([*(_paragraph(one, style) for one in findings), _sum(findings, repaired=repaired)])


def _paragraph(finding: Finding, style: Style) -> str:
    label = "repaired" if finding.repaired else str(finding.severity)
    tone = DIM if finding.repaired or finding.severity is Severity.NOTE else WARM
    lines = [f"{paint(label, tone, style)}: {safe(finding.what)}", *(f"    {safe(one)}" for one in finding.evidence)]
    if finding.repaired:
        return "\n".join(lines[:1])
    if finding.repair is not None:
        lines.append(f"    --repair {safe(finding.repair.what)}")
    return "\n".join([*lines, *(f"    {safe(hint)}" for hint in finding.hints)])


def _sum(findings: Sequence[Finding], *, repaired: bool) -> str:
    wrong = [one for one in findings if one.severity is not Severity.NOTE and not one.repaired]
    can = sum(one.repair is not None for one in wrong)
    if not wrong:
        return "nothing else is wrong" if repaired and findings else "nothing is wrong"
    way = f", {can} of them can be repaired: git fleet doctor --repair" if can and not repaired else ""
    return f"{words.count(len(wrong), 'problem')}{way}"


def document(findings: Sequence[Finding], operation: int | None) -> dict[str, object]:
    """The promised object of `doctor --json`."""
    return {
        "schema": SCHEMA,
        "operation": operation,
        "findings": [
            {
                "severity": str(one.severity),
                "code": one.code,
                "what": one.what,
                "path": one.path,
                "evidence": list(one.evidence),
                "hints": list(one.hints),
                "repair": one.repair.what if one.repair else None,
                "repaired": one.repaired,
            }
            for one in findings
        ],
    }
