"""A summary as JUnit XML, the form of test results that CI services read: one test case for each expectation."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from simbus.expectations.results import ExpectationResult
from simbus.report.document import Summary

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(summary: Summary) -> str:
    """The XML document of a finished run; times are of the wall clock, where they were taken."""
    name = summary.scenario or "simbus"
    cases = [_case(name, result, summary.reproduce) for result in summary.expectations]
    facts: dict[str, object] = {"seed": summary.seed, "digest": summary.digest, "run_file": summary.run_file}
    failures = sum(not result.passed for result in summary.expectations)
    return _document(name, cases, failures, 0, summary.real.seconds, facts)


def junit_of_error(name: str, error: str, reproduce: str) -> str:
    """The document of a run that could not finish: one test case, which is an error."""
    case = Xml.Element("testcase", classname=name, name="run", time="0")
    found = Xml.SubElement(case, "error", message=_plain(error), type="RunError")
    found.text = _plain(f"{error}\nReproduce with: {reproduce}")
    return _document(name, [case], 0, 1, None, {})


def _case(name: str, result: ExpectationResult, reproduce: str) -> Xml.Element:
    case = Xml.Element("testcase", classname=name, name=f"{result.what} {result.expected}", time="0")
    if result.file is not None:
        case.set("file", result.file)
    if result.line is not None:
        case.set("line", str(result.line))
    if not result.passed:
        message = f"expected {result.expected}, found {result.shown}"
        failure = Xml.SubElement(case, "failure", message=_plain(message), type="expectation")
        failure.text = _plain(f"{result}\nReproduce with: {reproduce}")
    return case


def _document(
    name: str, cases: list[Xml.Element], failures: int, errors: int, seconds: float | None, facts: dict[str, object]
) -> str:
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": str(errors)}
    root = Xml.Element("testsuites", {"name": "simbus", **counts})
    suite = Xml.SubElement(root, "testsuite", {"name": name, **counts, "skipped": "0", "time": f"{seconds or 0:.3f}"})
    if facts:
        properties = Xml.SubElement(suite, "properties")
        for key, value in facts.items():
            Xml.SubElement(properties, "property", name=key, value=str(value))
    suite.extend(cases)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _plain(text: str) -> str:
    """Without the characters that XML 1.0 does not allow."""
    return _FORBIDDEN.sub("?", text)
