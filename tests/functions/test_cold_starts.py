"""The default init durations, against the measurements they were taken from."""

import csv
import random
import statistics
from pathlib import Path

import pytest

from simbus.errors import UsageError
from simbus.functions.cold_starts import SHARES, init_distribution, measured_runtimes
from simbus.kernel.distributions import QuantileTable

MS = 1_000_000
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "cold-starts" / "coldstart_by_month.csv"
COLUMNS = ("min_ms", "p10_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms")
UPSTREAM_NAME = {"provided.al2": "go (prov.al2)", "provided.al2023": "go (prov.al2023)"}

Group = list[dict[str, str]]


@pytest.fixture(scope="module")
def months() -> dict[tuple[str, str, str], Group]:
    """The rows of the twelve months, by runtime, architecture and package."""
    if not DATA.exists():
        pytest.skip("the measurements are not beside this tree")
    groups: dict[tuple[str, str, str], Group] = {}
    with DATA.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if "2025-09" <= row["month"] <= "2026-08":
                groups.setdefault((row["runtime"], row["arch"], row["package"]), []).append(row)
    return groups


def weighted(rows: Group, column: str) -> float:
    counts = [int(row["n"]) for row in rows]
    return sum(float(row[column]) * n for row, n in zip(rows, counts, strict=True)) / sum(counts)


def aggregated(rows: Group) -> list[int]:
    middle = [round(weighted(rows, column)) for column in COLUMNS[1:-1]]
    low, high = (round(f(float(row[c]) for row in rows)) for f, c in ((min, COLUMNS[0]), (max, COLUMNS[-1])))
    return [low, *middle, high]


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
@pytest.mark.parametrize("runtime", measured_runtimes())
def test_the_table_is_the_aggregate_of_the_measurements(
    months: dict[tuple[str, str, str], Group], runtime: str, architecture: str
) -> None:
    """Every cell can be made again from maxday/lambda-perf's months 2025-09 to 2026-08 as the module says."""
    upstream = UPSTREAM_NAME.get(runtime, runtime)
    zipped = months[upstream, architecture, "zip"]
    for size in (128, 256, 512, 1024):
        rows = [row for row in zipped if row["memory_mb"] == str(size)]
        table = init_distribution(runtime, size, architecture)
        assert [value // MS for value in table.values] == aggregated(rows)
        error = 0.03 if runtime.startswith("python") else 0.11
        assert table.mean() / MS == pytest.approx(weighted(rows, "mean_ms"), rel=error)
    images, rows = init_distribution(runtime, 512, architecture, "image"), months[upstream, architecture, "image"]
    assert [value // MS for value in images.values] == aggregated(rows)
    assert images.mean() / MS == pytest.approx(weighted(rows, "mean_ms"), rel=0.21)


def test_python_313_with_128_mb() -> None:
    """lambda-perf, 2,744 cold starts: min 63, p10 90, p50 100, p90 122, p95 132, p99 174, max 374 ms."""
    table = init_distribution("python3.13", 128)
    assert table == QuantileTable(SHARES, tuple(ms * MS for ms in (63, 90, 100, 122, 132, 174, 374)))
    rng = random.Random(1)
    assert statistics.median(table.sample(rng) for _ in range(20_000)) == pytest.approx(100 * MS, rel=0.01)


def test_every_runtime_of_lambda_has_a_distribution() -> None:
    """The runtimes that CreateFunction accepted on 12/01/2026 (LocalStack's test_create_lambda_exceptions)."""
    accepted = [f"nodejs{v}.x" for v in (16, 18, 20, 22, 24)] + [f"python3.{v}" for v in range(8, 15)]
    accepted += ["java8.al2", "java11", "java17", "java21", "java25", "dotnet6", "dotnet8", "dotnet10"]
    accepted += ["ruby3.2", "ruby3.3", "ruby3.4", "provided.al2", "provided.al2023"]
    assert sorted(measured_runtimes()) == sorted(accepted)
    for runtime in accepted:
        for architecture in ("x86_64", "arm64"):
            for package in ("zip", "image"):
                values = init_distribution(runtime, 1769, architecture, package).values
                assert 20 * MS <= values[0] < values[2] < 500 * MS


def test_between_two_sizes_it_is_interpolated_and_beyond_the_nearest_is_taken() -> None:
    """Measured at 128, 256, 512 and 1,024 MB."""
    at = [init_distribution("java17", size).values for size in (512, 768, 1024)]
    assert at[1] == tuple((a + b) // 2 for a, b in zip(at[0], at[2], strict=True))
    assert init_distribution("java17", 10_240).values == at[2]
    assert init_distribution("java17", 64).values == init_distribution("java17", 128).values


@pytest.mark.parametrize(
    ("runtime", "stands_for"),
    [
        ("python3.7", "python3.8"),
        ("python2.7", "python3.8"),
        ("python3.20", "python3.14"),
        ("nodejs12.x", "nodejs16.x"),
        ("nodejs19.x", "nodejs20.x"),
        ("nodejs", "nodejs16.x"),
        ("java8", "java8.al2"),
        ("java14", "java17"),
        ("dotnetcore3.1", "dotnet6"),
        ("dotnet9", "dotnet10"),
        ("ruby2.7", "ruby3.2"),
        ("go1.x", "provided.al2"),
        ("provided", "provided.al2"),
    ],
)
def test_a_runtime_without_measurements_takes_the_nearest_of_its_family(runtime: str, stands_for: str) -> None:
    """The nearest version, the newer one of two equally near."""
    assert init_distribution(runtime, 128) == init_distribution(stands_for, 128)


@pytest.mark.parametrize("runtime", ["cobol85", "", "Python 3"])
def test_a_runtime_of_no_family_is_refused(runtime: str) -> None:
    """No silent default for what is no Lambda runtime at all."""
    with pytest.raises(UsageError, match=r"^is .*; the families of Lambda runtimes are python, nodejs, java, dotnet, "):
        init_distribution(runtime, 128)


def test_an_unknown_architecture_or_package_is_refused() -> None:
    """Lambda knows x86_64 and arm64, Zip and Image."""
    with pytest.raises(UsageError, match=r"^is riscv zip; .* Name one of them"):
        init_distribution("python3.13", 128, "riscv")
    with pytest.raises(UsageError, match=r"^is arm64 rar; "):
        init_distribution("python3.13", 128, "arm64", "rar")
