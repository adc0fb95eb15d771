"""Time, order and chance. Knows no AWS word."""

from simbus.kernel.timeline import (
    FOREVER,
    HOUR,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    NANOSECOND,
    SECOND,
    Actor,
    Timeline,
)

__all__ = ["FOREVER", "HOUR", "MICROSECOND", "MILLISECOND", "MINUTE", "NANOSECOND", "SECOND", "Actor", "Timeline"]
