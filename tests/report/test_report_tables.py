"""Tables as text and on a terminal."""

import io

from rich.console import Console

from simbus.report.tables import Table

TABLE = Table(("name", "count", "cost"), [("[bold]a", "1", "$10"), ("b", "1,000", "")])


def test_plain_text_is_aligned_without_blanks_at_the_ends_of_lines() -> None:
    """The text of a pipe is stable: README and tests quote it."""
    assert TABLE.plain() == "name     count  cost\n[bold]a      1   $10\nb        1,000"


def test_text_columns_stand_to_the_left() -> None:
    """`numbers` is the first column that stands to the right."""
    assert Table(("a", "b"), [("x", "y"), ("long", "z")], numbers=2).plain() == "a     b\nx     y\nlong  z"


def test_nothing_in_a_cell_is_markup() -> None:
    """A function or a queue may be named as it likes."""
    console = Console(file=io.StringIO(), width=80)
    console.print(TABLE.rich())
    assert isinstance(console.file, io.StringIO)
    assert "[bold]a" in console.file.getvalue()
