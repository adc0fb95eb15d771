"""A summary as JUnit XML, the form of test results that CI services read: one test case for each expectation."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree as Xml

from simbus.errors import UsageError
from simbus.expectations.results import ExpectationResult
from simbus.report.document import Summary

_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def check_target(path: Path) -> None:
    """Refuse a place where no XML can be written, and a file that is something else. Touches nothing.

    Raises UsageError. A pipe or a device (/dev/null) is written to as it is.
    """
    try:
        parent = path.absolute().parent
        if path.is_dir():
            raise UsageError(f"{path}: is a directory; the XML is written into a file. Choose another path.")
        if not parent.is_dir():
            raise UsageError(
                f"{path}: the directory {path.parent} does not exist; the XML is written into an existing directory. "
                "Create it, or choose another path."
            )
        if path.is_file() and not is_junit(path):
            raise UsageError(
                f"{path}: exists and is no JUnit XML file; only such a file is replaced. "
                "Choose another path, or move the file away."
            )
        if not os.access(path if _is_stream(path) else path.resolve().parent, os.W_OK):
            raise UsageError(f"{path}: can't be written here. Change the permissions, or choose another path.")
    except OSError as error:
        raise _unwritable(path, error) from error


def _is_stream(path: Path) -> bool:
    """Whether it is a pipe or a device, in whose place nothing is put."""
    return path.exists() and not path.is_file()


def is_junit(path: Path) -> bool:
    """Whether the file is XML whose root is that of test results."""
    try:
        _, root = next(Xml.iterparse(path, ("start",)))
    except (Xml.ParseError, StopIteration, ValueError):
        return False
    return root.tag in ("testsuites", "testsuite")


def write(path: Path, text: str) -> None:
    """Put the XML there, in the place of an older one: all of it or nothing. Raises UsageError."""
    real = path.resolve()
    fresh = real.with_name(f".{real.name}.new")
    try:
        if _is_stream(path):
            path.write_text(text, encoding="utf-8")
            return
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(real)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path}: {error.strerror or error}; the XML needs a place that can be written. Choose another path."
    )


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
