"""Distributions: what they draw, and the forms in which a scenario file writes them."""

import random
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbus.errors import UsageError
from simbus.kernel.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Lognormal,
    Normal,
    QuantileTable,
    Uniform,
    parse_distribution,
)
from simbus.kernel.normal import normal_quantile

MS = 1_000_000
TABLE = QuantileTable((0.0, 0.1, 0.5, 0.9, 0.99, 1.0), (60 * MS, 75 * MS, 82 * MS, 99 * MS, 134 * MS, 163 * MS))
ALL: list[Distribution] = [
    Constant(50 * MS),
    Exponential(50 * MS),
    Uniform(10 * MS, 50 * MS),
    Normal(50 * MS, 5 * MS),
    Normal(10 * MS, 20 * MS),
    Lognormal.through((0.5, 120 * MS), (0.99, 900 * MS)),
    Empirical.of([30 * MS, 10 * MS, 20 * MS]),
    TABLE,
]
GOLDEN = [
    [50000000, 50000000, 50000000, 50000000, 50000000],
    [6341687, 34909570, 35853832, 98305853, 5414732],
    [14764795, 30100630, 30472909, 44400024, 14105474],
    [44103010, 50031531, 50148197, 55401610, 43666655],
    [4460751, 18031866, 18382835, 35999550, 3864487],
    [43206385, 120657217, 123120454, 305877068, 40060903],
    [10000000, 20000000, 20000000, 30000000, 10000000],
    [75334598, 82106920, 82502465, 97300025, 75046145],
]


def draws(distribution: Distribution, count: int, seed: int = 7) -> list[int]:
    rng = random.Random(seed)
    return [distribution.sample(rng) for _ in range(count)]


def named(distribution: Distribution) -> str:
    return repr(distribution).split("(")[0]


@pytest.mark.parametrize("distribution", ALL, ids=named)
def test_samples_agree_with_mean_and_quantiles(distribution: Distribution) -> None:
    """100,000 seeded samples: the mean within 2 %, and the share below each quantile within half a percent."""
    samples = draws(distribution, 100_000)
    assert all(isinstance(s, int) and s >= 0 for s in samples[:1000])
    assert min(samples) >= 0
    assert statistics.fmean(samples) == pytest.approx(distribution.mean(), rel=0.02)
    if len(set(samples)) > 3:
        for q in (0.05, 0.5, 0.9, 0.99):
            share = sum(s <= distribution.quantile(q) for s in samples) / len(samples)
            assert share == pytest.approx(q, abs=0.005)


def test_a_lognormal_hits_the_percentiles_it_was_given() -> None:
    """`{p50: 120ms, p99: 900ms}`: half of 100,000 samples is below 120 ms, one in a hundred above 900 ms."""
    distribution = parse_distribution({"p50": "120ms", "p99": "900ms"})
    samples = sorted(draws(distribution, 100_000))
    assert samples[50_000] == pytest.approx(120 * MS, rel=0.02)
    assert samples[99_000] == pytest.approx(900 * MS, rel=0.03)
    assert distribution.quantile(0.5) == pytest.approx(120 * MS, abs=2)
    assert distribution.quantile(0.99) == pytest.approx(900 * MS, abs=2)


def test_a_normal_is_truncated_at_zero_not_clamped() -> None:
    """Negative draws are left out: with a centre of half a deviation no heap of zeros appears."""
    samples = draws(Normal(10 * MS, 20 * MS), 10_000)
    assert sum(s < 1000 for s in samples) < 10


@pytest.mark.parametrize(("distribution", "golden"), list(zip(ALL, GOLDEN, strict=True)), ids=map(named, ALL))
def test_the_first_samples_of_a_seed_are_golden(distribution: Distribution, golden: list[int]) -> None:
    """The same seed draws the same on Python 3.11, 3.12 and 3.13: built on `rng.random()` alone."""
    assert draws(distribution, 5, seed=2026) == golden


@pytest.mark.parametrize("distribution", ALL, ids=named)
def test_a_sample_takes_one_random_number(distribution: Distribution) -> None:
    """One `rng.random()` per sample (a constant takes none), so that a generator stays in step."""
    rng, other = random.Random(5), random.Random(5)
    distribution.sample(rng)
    if not isinstance(distribution, Constant):
        other.random()
    assert rng.random() == other.random()


@pytest.mark.parametrize("distribution", ALL, ids=named)
def test_the_extreme_draws_are_finite(distribution: Distribution) -> None:
    """`random()` may return 0 and 1 - 2**-53: neither is infinite nor negative, and quantiles never fall."""
    shares = [0.0, 1e-9, 0.02, 0.024, 0.025, 0.3, 0.5, 0.9, 0.975, 0.976, 0.99999, 1.0]
    values = [distribution.quantile(q) for q in shares]
    assert values == sorted(values)
    assert values[0] >= 0
    with pytest.raises(ValueError, match="share of 0 to 1"):
        distribution.quantile(1.1)


def test_the_normal_quantile_agrees_with_the_standard_library() -> None:
    """Acklam's approximation: relative error below 1.15e-9 (P. J. Acklam, 2003)."""
    exact = statistics.NormalDist()
    for p in [2.0**-53, 1e-12, 1e-6, 0.5, 1 - 1e-6, 1 - 1e-12, *(i / 997 for i in range(1, 997))]:
        assert normal_quantile(p) == pytest.approx(exact.inv_cdf(p), rel=1.2e-9)


def test_a_quantile_table_is_linear_between_its_quantiles() -> None:
    """The ends are the smallest and the largest value; a quarter lies where a straight line puts it."""
    assert [TABLE.quantile(q) for q in (0, 0.1, 0.5, 0.9, 0.99, 1)] == list(TABLE.values)
    assert TABLE.quantile(0.3) == 78.5 * MS


@pytest.mark.parametrize(
    ("shares", "values"),
    [
        ((0.0,), (1,)),
        ((0.1, 1.0), (1, 2)),
        ((0.0, 0.5), (1, 2)),
        ((0.0, 1.0), (2, 1)),
        ((0.0, 1.0), (-1, 1)),
        ((0.0, 1.0), (1,)),
    ],
)
def test_a_quantile_table_that_is_none_is_refused(shares: tuple[float, ...], values: tuple[int, ...]) -> None:
    """Shares rise from 0 to 1 and values never fall."""
    with pytest.raises(ValueError, match="quantile table"):
        QuantileTable(shares, values)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("50ms", Constant(50 * MS)),
        ({"constant": "50ms"}, Constant(50 * MS)),
        ({"exponential": "50ms"}, Exponential(50 * MS)),
        ({"exponential": "0s"}, Constant(0)),
        ({"uniform": ["10ms", "50ms"]}, Uniform(10 * MS, 50 * MS)),
        ({"uniform": {"min": "10ms", "max": "50ms"}}, Uniform(10 * MS, 50 * MS)),
        ({"normal": {"mean": "50ms", "stddev": "5ms"}}, Normal(50 * MS, 5 * MS)),
        ({"normal": {"mean": "50ms", "stddev": "0s"}}, Constant(50 * MS)),
        ({"lognormal": {"p99": "900ms", "p50": "120ms"}}, Lognormal.through((0.5, 120 * MS), (0.99, 900 * MS))),
        ({"p50": "120ms", "p95": "900ms"}, Lognormal.through((0.5, 120 * MS), (0.95, 900 * MS))),
    ],
)
def test_the_forms_of_a_scenario_file(form: object, expected: Distribution) -> None:
    """The forms of `simulate.duration` (design: the scenario file)."""
    assert parse_distribution(form) == expected


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (50, "is 50; .* Write 50s"),
        ({}, "has nothing; "),
        ({"gaussian": "5ms"}, "has gaussian; a duration distribution is .* Write one of 50ms"),
        ({"constant": "5ms", "uniform": ["1ms", "2ms"]}, "has constant, uniform; "),
        ({5: "1ms"}, "has 5; "),
        ({"constant": 5}, "has constant, which is 5; .* Write 5s"),
        ({"exponential": "-5ms"}, "has exponential, which is '-5ms'; .* negative"),
        ({"uniform": "5ms"}, r"has uniform '5ms'; .* Write \[10ms, 50ms\]"),
        ({"uniform": ["5ms", "1ms"]}, "has uniform .* Swap the two"),
        ({"uniform": ["1ms", "x"]}, "has uniform max, which is 'x'"),
        ({"normal": "5ms"}, "has normal '5ms'; .* Write {mean: 50ms, stddev: 5ms}"),
        ({"normal": {"mean": "x", "stddev": "1ms"}}, "has normal.mean, which is 'x'"),
        ({"p50": "5ms"}, "has lognormal .* takes two percentiles"),
        ({"lognormal": {"p50": "5ms", "mean": "1ms"}}, "has lognormal mean; .* two percentiles"),
        ({"lognormal": {"p0": "5ms", "p50": "1ms"}}, "has lognormal p0; "),
        ({"lognormal": "5ms"}, "has lognormal '5ms'; "),
        ({"p50": "0s", "p99": "1ms"}, "both are above 0"),
        ({"p50": "5ms", "p99": "1ms"}, "the higher percentile takes longer"),
        ({"p50": "5ms", "p50.0": "9ms"}, "the higher percentile takes longer"),
        ({"p50": "1ns", "p50.1": "9h"}, "percentiles further apart"),
        ({"empirical": "x.csv"}, "has empirical: x.csv; .* Write {empirical: file.csv, column: ms"),
        ({"empirical": "x.csv", "column": "a", "colour": "red"}, "has empirical: x.csv, column: a, colour: red; "),
        ({"empirical": "x.csv", "column": "a", "unit": "parsec"}, "has unit 'parsec'; the unit is one of ns, us, ms"),
        ({"empirical": "absent.csv", "column": "a"}, "has empirical absent.csv, which can't be read"),
    ],
)
def test_a_wrong_form_says_what_to_write(form: object, says: str) -> None:
    """The text starts with a verb: the caller writes file, line and path in front of it."""
    with pytest.raises(UsageError, match=f"^{says}" if says[:3] in ("is ", "has") else says):
        parse_distribution(form, base_dir=Path(__file__).parent)


def csv_file(folder: Path, text: str, **more: Any) -> dict[str, Any]:
    (folder / "measured.csv").write_text(text, encoding="utf-8")
    return {"empirical": "measured.csv", "column": "ms", **more}


def test_an_empirical_distribution_reads_one_column_exactly(tmp_path: Path) -> None:
    """Measurements in ms (or the `unit` given) become nanoseconds without float rounding."""
    form = csv_file(tmp_path, "id,ms\na,1848.19\nb,0.000001\n\nc, 2 \n")
    assert parse_distribution(form, base_dir=tmp_path) == Empirical((1, 2 * MS, 1_848_190_000))
    form = csv_file(tmp_path, "ms\n1.5\n", unit="s")
    assert parse_distribution(form, base_dir=tmp_path) == Empirical((1_500 * MS,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,ms\na,1\nb,soon\n", r"measured.csv:3: ms is 'soon'; a measured duration is a number"),
        ("id,ms\na,-1\n", r"measured.csv:2: ms is '-1'; "),
        ("id,ms\na\n", r"measured.csv:2: ms is None; "),
        ("id,ms\na,nan\n", r"measured.csv:2: ms is 'nan'; "),
        ("id,ms\na,1e999999\n", r"measured.csv:2: ms is '1e999999'; "),
        ("id,seconds\na,1\n", r"column 'ms', but .*measured.csv has id, seconds; .* Name one of them"),
        ("", "has no header line"),
        ("ms\n", "which has no rows; "),
    ],
)
def test_a_bad_cell_is_named_by_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    """A CSV file with a bad cell, no such column or no row is refused with its place."""
    with pytest.raises(UsageError, match=says):
        parse_distribution(csv_file(tmp_path, text), base_dir=tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 end in a usage error, not in a traceback."""
    (tmp_path / "measured.csv").write_bytes(b"ms\n\xff\xfe\n")
    with pytest.raises(UsageError, match="can't be read"):
        parse_distribution({"empirical": "measured.csv", "column": "ms"}, base_dir=tmp_path)


@given(low=st.integers(1, 10**12), factor=st.integers(2, 1000), share=st.sampled_from([0.6, 0.9, 0.95, 0.99, 0.999]))
def test_any_lognormal_passes_through_its_two_points(low: int, factor: int, share: float) -> None:
    """Two percentiles determine a lognormal."""
    distribution = Lognormal.through((0.5, low), (share, low * factor))
    assert distribution.quantile(0.5) == pytest.approx(low, rel=1e-6, abs=1)
    assert distribution.quantile(share) == pytest.approx(low * factor, rel=1e-6, abs=1)
