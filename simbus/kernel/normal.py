"""The standard normal quantile, the same on every Python version."""

from __future__ import annotations

import math

_SMALLEST_DRAW = 2.0**-54
_TAIL = 0.02425


def normal_quantile(p: float) -> float:
    """The standard normal quantile of `p` (0 <= p < 1): Acklam's rational approximation, relative error below 1.15e-9.

    Source: Peter J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function", 2003.
    `p` = 0, which `random()` may draw, is taken as 2**-54.
    """
    if p < _TAIL:
        return _normal_tail(p if p > _SMALLEST_DRAW else _SMALLEST_DRAW)
    if p > 1.0 - _TAIL:
        return -_normal_tail(1.0 - p)
    q = p - 0.5
    r = q * q
    above = (
        (((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r
        - 30.66479806614716
    ) * r + 2.506628277459239
    below = (
        (((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r
        - 13.28068155288572
    ) * r + 1.0
    return q * above / below


def _normal_tail(p: float) -> float:
    """The quantile of a small `p`, far to the left."""
    q = math.sqrt(-2.0 * math.log(p))
    above = (
        (((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) * q
        + 4.374664141464968
    ) * q + 2.938163982698783
    below = (
        ((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416
    ) * q + 1.0
    return above / below
