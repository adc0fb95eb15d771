"""Time, order and chance. Knows no AWS word."""

from simbus.kernel.timeline import (
    HOUR,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    NANOSECOND,
    SECOND,
    Actor,
    Timeline,
)

__all__ = ["HOUR", "MICROSECOND", "MILLISECOND", "MINUTE", "NANOSECOND", "SECOND", "Actor", "Timeline"]
