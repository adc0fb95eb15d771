"""`simbus lint`."""

from __future__ import annotations

import json as json_text
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simbus.cli.exits import complain, exit_status, printing
from simbus.cli.results import Github, annotates
from simbus.cli.run import Overrides, ScenarioArgument
from simbus.errors import UsageError

if TYPE_CHECKING:
    from simbus.lint.prove import Measured
    from simbus.lint.rule import Proof
    from simbus.lint.rules import Found
    from simbus.scenario.loader import Scenario

FOUND = 1


def lint(
    scenario: ScenarioArgument,
    prove: Annotated[
        bool, typer.Option("--prove", help="Show the damage of each finding in a small simulation, and the remedy's.")
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="RULE", help="Leave a rule out. May be given more than once."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    overrides: Overrides = None,
    github: Github = None,
) -> None:
    """Find combinations of settings that AWS accepts and that go wrong.

    Each comes with its line, with what AWS says of it, and with a remedy. The exit status is 0 where nothing is found,
    1 where anything is, and 2 where the scenario itself is wrong. No code of handlers is run.
    """
    with exit_status():
        from simbus.cli.handlers import without_code
        from simbus.lint.prove import prove as measure
        from simbus.lint.rules import lint as find
        from simbus.scenario.build import check
        from simbus.scenario.loader import load

        ignored = _ignored(ignore or [])
        loaded = load(scenario, overrides or [])
        check(without_code(loaded))
        view, found = find(loaded, ignored)
        proofs: dict[int, tuple[Proof, list[Measured]]] = {}
        for number, each in enumerate(found if prove else []):
            proof = None if each.rule.prove is None else each.rule.prove(view, each.finding)
            if proof is not None:
                proofs[number] = proof, measure(proof, loaded.folder)
        if annotates(github):
            for each in found:
                complain(_annotation(loaded, each))
        with printing():
            if json:
                print(json_text.dumps(_document(loaded, found, proofs), indent=2))
            else:
                print(_text(loaded, found, proofs, prove))
    if found:
        raise typer.Exit(FOUND)


def _ignored(names: list[str]) -> frozenset[str]:
    from difflib import get_close_matches

    from simbus.lint.rules import BY_ID

    for name in names:
        if name not in BY_ID:
            close = get_close_matches(name, BY_ID, 1)
            remedy = f"Did you mean {close[0]}?" if close else f"The rules are {', '.join(BY_ID)}."
            raise UsageError(f"--ignore {name}: there is no such rule. {remedy}")
    return frozenset(names)


def _text(
    scenario: Scenario, found: list[Found], proofs: dict[int, tuple[Proof, list[Measured]]], proving: bool
) -> str:
    blocks = []
    for number, (rule, finding) in enumerate(found):
        where = scenario.source.where(finding.path)
        lines = [
            f"{where} {finding.found}. {rule.severity}[{rule.id}]",
            f"  AWS: {rule.fact}",
            f"  {rule.source}",
            f"  {finding.remedy}",
        ]
        if number in proofs:
            lines += _proof_lines(*proofs[number])
        elif proving:
            lines.append("  No figure of a simulation shows this.")
        blocks.append("\n".join(lines))
    counts = Counter(each.rule.severity for each in found)
    words = [f"{number} {severity}{'s' if number > 1 else ''}" for severity, number in sorted(counts.items())]
    return "\n\n".join([*blocks, f"{scenario.source.name}: {' and '.join(words) or 'nothing found'}"])


def _proof_lines(proof: Proof, measured: list[Measured]) -> list[str]:
    from simbus.report.tables import Table

    rows: list[tuple[str, ...]] = [(each.what, *each.texts()) for each in measured]
    table = Table(("", "as it is", "mended"), rows)
    return [f"  Simulated: {proof.story}.", *(f"    {line}" for line in table.plain().splitlines())]


def _annotation(scenario: Scenario, each: Found) -> str:
    from simbus.report.annotations import annotation
    from simbus.scenario.source import dotted

    source, (rule, finding) = scenario.source, each
    message = f"{dotted(source.resolve(finding.path))} {finding.found}. {finding.remedy} {rule.source}"
    return annotation(message, rule.severity, rule.id, source.name, source.position(finding.path).line)


def _document(
    scenario: Scenario, found: list[Found], proofs: dict[int, tuple[Proof, list[Measured]]]
) -> dict[str, Any]:
    """`findings`: a list of rule, severity, file, line, path, found, fact, source, remedy and (--prove) proof."""
    from simbus.scenario.source import dotted

    source = scenario.source
    findings = []
    for number, (rule, finding) in enumerate(found):
        document: dict[str, Any] = {
            "rule": rule.id,
            "severity": rule.severity,
            "file": source.name,
            "line": source.position(finding.path).line,
            "path": dotted(source.resolve(finding.path)),
            "found": finding.found,
            "fact": rule.fact,
            "source": rule.source,
            "remedy": finding.remedy,
        }
        if number in proofs:
            proof, measured = proofs[number]
            figures = [{"what": m.what, "unit": m.kind, "found": m.found, "mended": m.mended} for m in measured]
            document["proof"] = {"story": proof.story, "figures": figures}
        findings.append(document)
    return {"scenario": scenario.name, "findings": findings}
