"""`python -m benchmarks [NAME...]`: one table of all benchmarks, or of those named."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from importlib import import_module

from benchmarks import table
from benchmarks.harness import Result, Size, byte_code

NAMES = (
    "kernel",
    "invoke",
    "simfaas",
    "push",
    "sources",
    "filters",
    "logs",
    "startup",
    "scale",
    "replay",
    "explore",
    "boto3",
    "pytest",
    "emulator",
)
QUICK = 0.05


def benchmark(name: str) -> Callable[[Size], Result]:
    """The `run` of benchmarks/bench_NAME.py."""
    run: Callable[[Size], Result] = import_module(f"benchmarks.bench_{name}").run
    return run


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all of them by default")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:g} of the work, once: to see that it runs")
    parser.add_argument("--times", type=int, metavar="N", help="each contender's runs, of which the best counts (3)")
    parser.add_argument("--full", action="store_true", help="`scale` goes on to ten million invocations")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md, too")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in NAMES:
            parser.error(f"{name} is no benchmark; there are {', '.join(NAMES)}.")
    if arguments.times is not None and arguments.times < 1:
        parser.error(f"--times is {arguments.times}; a contender runs at least once.")
    if arguments.write and (arguments.names or arguments.quick):
        parser.error("--write is for the whole table as usual; leave out the names and --quick.")
    return arguments


def main() -> None:
    """Run what was asked for; each part is printed as soon as it is measured."""
    with byte_code():
        _table(_arguments())


def _table(arguments: argparse.Namespace) -> None:
    size = Size(QUICK if arguments.quick else 1.0, arguments.times or (1 if arguments.quick else 3), arguments.full)
    parts = [table.head(size)]
    results: dict[str, Result] = {}
    if not arguments.json:
        print(parts[0])
    for name in arguments.names or NAMES:
        results[name] = benchmark(name)(size)
        parts.append(table.block(name, results[name], judged=size.share >= 1))
        if not arguments.json:
            print(f"\n{parts[-1]}", flush=True)
    if size.share >= 1:
        parts.append(table.summary(results))
    if arguments.json:
        print(json.dumps(table.document(size, results), indent=2))
    elif size.share >= 1:
        print(f"\n{parts[-1]}")
    if arguments.write:
        table.write("\n\n".join(parts))


if __name__ == "__main__":
    main()
