"""The progress bar of work that counts what it has done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Advance = Callable[[int, int | None], None]


@contextmanager
def counting_bar(label: str, unit: str, *, scale: bool = False) -> Iterator[Advance]:
    """Show a bar on stderr, if that is a terminal.

    Args:
        label: In front of the bar.
        unit: Name of what is counted.
        scale: Whether to write 1.2M for 1,200,000.

    Yields:
        A function to call with what is done so far, and with the whole (None: not known).
    """
    with tqdm(desc=label, unit=unit, unit_scale=scale, disable=None, leave=False) as bar:

        def advance(n_done: int, n_all: int | None) -> None:
            bar.total = n_all
            bar.update(n_done - bar.n)

        yield advance
