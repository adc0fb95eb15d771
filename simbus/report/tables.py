"""Tables for people: plain aligned text, or rich's tables where a terminal shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table as RichTable

_GAP = "  "


@dataclass(frozen=True)
class Table:
    """A heading and rows of text. The columns from `numbers` on are numbers, which stand to the right."""

    heading: tuple[str, ...]
    rows: list[tuple[str, ...]]
    numbers: int = 1

    def plain(self) -> str:
        """The table as aligned text, without a frame and without blanks at the ends of lines."""
        lines = [self.heading, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heading))]
        return "\n".join(self._line(line, widths) for line in lines)

    def _line(self, cells: tuple[str, ...], widths: list[int]) -> str:
        padded = [
            cell.ljust(width) if column < self.numbers else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return _GAP.join(padded).rstrip()

    def rich(self) -> RichTable:
        """The table for a `rich.console.Console`. Nothing in a cell is markup."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(box=SIMPLE_HEAD)
        for column, name in enumerate(self.heading):
            table.add_column(name, justify="left" if column < self.numbers else "right")
        for row in self.rows:
            table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
        return table


_STYLES = {"pass": "green", "FAIL": "bold red"}
