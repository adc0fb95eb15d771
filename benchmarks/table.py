"""The results as a document, as the table that is printed, and as the block of the README."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.harness import BUSY, ROOT, Measured, Ratio, Result, Size, peer

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- the table: python -m benchmarks --write -->", "<!-- end of the table -->"
PEERS = ("simpy", "ciw", "simfaas", "ministack", "moto", "boto3")


def _processor() -> str:
    """The name of the CPU, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    git = ["git", "-C", str(ROOT)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "simbus"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return commit.stdout.strip() + (", changed since" if changed.stdout else "")


def circumstances(size: Size) -> dict[str, str]:
    """What a figure depends on besides the code: a line each."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "simbus": f"{importlib.metadata.version('simbus')}, commit {_commit()}",
        "peers": ", ".join(f"{name} {found[1] if (found := peer(name)) else 'absent'}" for name in PEERS),
        "measured": f"best of {size.times}, {size.share:g} of the usual work" + (", full" if size.full else ""),
    }


def _time(microseconds: float) -> str:
    for unit, factor in (("us", 1.0), ("ms", 1e3)):
        if microseconds < 1000 * factor:
            return f"{microseconds / factor:,.2f} {unit}"
    return f"{microseconds / 1e6:,.2f} s"


def _measured(each: Measured, unit: str) -> str:
    disturbed = f"  DISTURBED: others used {each.others:.1f} cores" if each.others > BUSY else ""
    return (
        f"  {each.name:<40} {each.count:>9,} {unit + ('' if each.count == 1 else 's'):<11} "
        f"{_time(each.cpu_us):>10} CPU {_time(each.wall_us):>10} wall  work {each.work}{disturbed}"
    )


def _ratio(ratio: Ratio, judged: bool) -> str:
    value = f"{ratio.value:.2f}" if ratio.value < 100 else f"{ratio.value:,.0f}"
    line = f"  > {ratio.text}: {value}{ratio.unit}"
    bounds = [
        (word, bound) for word, bound in (("at least", ratio.least), ("at most", ratio.most)) if bound is not None
    ]
    if not bounds:
        return line
    wanted = ", ".join(f"{word} {bound:g}{ratio.unit}" for word, bound in bounds)
    verdict = ("met" if ratio.met else "NOT MET") if judged else "too little work to judge"
    return f"{line} (target: {wanted}; {verdict})"


def block(name: str, result: Result, judged: bool) -> str:
    """One benchmark's part of the table; times are those of one unit of work. Small runs are not judged."""
    lines = [f"{name}: {result.question}"]
    lines += [_measured(each, result.unit) for each in result.measured]
    lines += [_ratio(each, judged) for each in result.ratios]
    lines += [f"  - {note}" for note in result.notes]
    return "\n".join(lines)


def head(size: Size) -> str:
    """The lines above the table."""
    return "\n".join(f"{name:<9} {value}" for name, value in circumstances(size).items())


def summary(results: dict[str, Result]) -> str:
    """How many targets were met."""
    verdicts = [ratio.met for result in results.values() for ratio in result.ratios if ratio.met is not None]
    return f"{verdicts.count(True)} targets met, {verdicts.count(False)} NOT MET"


def document(size: Size, results: dict[str, Result]) -> dict[str, Any]:
    """The same for programs: seconds, and each ratio with its target and whether it was met."""
    return {
        **circumstances(size),
        "benchmarks": {
            name: {
                "question": result.question,
                "unit": result.unit,
                "contenders": [
                    {**each._asdict(), "cpu_us": each.cpu_us, "wall_us": each.wall_us} for each in result.measured
                ],
                "ratios": [{**ratio._asdict(), "met": ratio.met} for ratio in result.ratios],
                "notes": list(result.notes),
            }
            for name, result in results.items()
        },
    }


def write(text: str, readme: Path = README) -> None:
    """Put the table between the two markers of the README."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n```text\n{text}\n```\n{END}{after}")
