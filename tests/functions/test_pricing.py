"""Billed durations and costs, against AWS's own examples."""

import pytest

from simbus.errors import UsageError
from simbus.functions.pricing import billed_duration_ms, invocation_cost, provisioned_cost


@pytest.mark.parametrize(
    ("duration", "init", "billed"),
    [
        (250.06, 100.77, 351),
        (250.06, None, 251),
        (3.01, None, 4),
        (3.01, 110.10, 114),
        (1000.0, None, 1000),
        (1.1, 2.9, 4),
        (0.1, 0.2, 1),
        (100.1, 200.9, 301),
        (0.0, None, 1),
        (0.0, 0.0, 1),
    ],
)
def test_billed_duration_is_rounded_up_and_holds_the_init(duration: float, init: float | None, billed: int) -> None:
    """Since 2025-08-01 the INIT phase is billed on demand too (AWS Compute Blog: 250.06 + 100.77 is billed as 351).

    3.01 with init 110.10 is the REPORT line recorded by LocalStack's test_multi_line_prints on 25/11/2025: 114.
    """
    assert billed_duration_ms(duration, init) == billed


@pytest.mark.parametrize("hundredths", range(1, 2000, 7))
def test_a_sum_of_whole_milliseconds_is_never_rounded_up_by_float_noise(hundredths: int) -> None:
    """AWS reports hundredths of a millisecond; parts that add up to 20.00 ms are billed as 20 ms."""
    assert billed_duration_ms(hundredths / 100, (2000 - hundredths) / 100) == 20


def test_a_mobile_back_end_of_three_million_requests() -> None:
    """AWS's pricing page, example 1: 3 million requests of 120 ms with 1,536 MB are 540,000 GB-seconds.

    They cost $9.00 and the requests $0.60, before AWS takes off the free tier.
    """
    assert 3_000_000 * invocation_cost(120, 1536) == pytest.approx(9.00 + 0.60, abs=0.005)


def test_arm_is_a_fifth_cheaper() -> None:
    """$0.0000133334 against $0.0000166667 a GB-second; a request costs the same."""
    request = 0.0000002
    arm, x86 = invocation_cost(1000, 1024, architecture="arm64"), invocation_cost(1000, 1024)
    assert x86 - request == pytest.approx(0.0000166667)
    assert arm - request == pytest.approx(0.0000133334)


def test_ephemeral_storage_costs_above_512_mb() -> None:
    """AWS's pricing page, example 3: 6 million requests of 280 ms with 2,048 MB of /tmp; 1,536 MB of it cost $0.08."""
    plain = invocation_cost(280, 4096)
    assert invocation_cost(280, 4096, ephemeral_storage=512) == plain
    more = invocation_cost(280, 4096, ephemeral_storage=2048)
    assert 6_000_000 * (more - plain) == pytest.approx(0.08, abs=0.005)


def test_provisioned_concurrency_on_a_launch_day() -> None:
    """AWS's pricing page, provisioned concurrency, example 1: 1,536 MB, 100 provisioned for 8 hours are $18.

    The 500,000 requests of 100 ms that run in them cost $0.73, plus $0.10 as requests.
    """
    assert provisioned_cost(8 * 3600, 100, 1536) == pytest.approx(18.00, abs=0.005)
    assert 500_000 * invocation_cost(100, 1536, provisioned=True) == pytest.approx(0.73 + 0.10, abs=0.005)


def test_provisioned_concurrency_on_a_sale_day() -> None:
    """AWS's pricing page, provisioned concurrency, example 2: 4,096 MB, 7 provisioned for 24 hours are $10.08.

    The 2 million requests of 280 ms cost $21.78, plus $0.40 as requests.
    """
    assert provisioned_cost(24 * 3600, 7, 4096) == pytest.approx(10.08, abs=0.005)
    assert 2_000_000 * invocation_cost(280, 4096, provisioned=True) == pytest.approx(21.78 + 0.40, abs=0.005)


def test_provisioned_time_is_rounded_up_to_five_minutes() -> None:
    """From enabling to disabling, rounded up to the nearest five minutes (AWS's pricing page)."""
    assert provisioned_cost(1, 1, 1024) == provisioned_cost(300, 1, 1024) == pytest.approx(300 * 0.0000041667)
    assert provisioned_cost(301, 1, 1024, architecture="arm64") == pytest.approx(600 * 0.0000033334)
    assert provisioned_cost(0, 1, 1024) == 0


def test_an_unknown_architecture_is_refused() -> None:
    """Lambda has x86_64 and arm64."""
    with pytest.raises(UsageError, match=r"^is architecture 'riscv'; Lambda has x86_64 and arm64"):
        invocation_cost(1, 128, architecture="riscv")
