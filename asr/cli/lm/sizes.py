"""Sizes: a line that describes a model."""

from pathlib import Path

from asr.lm.ngram import NGram


def describe(path: Path, model: NGram) -> str:
    """Describe a model that was written to a file: its n-grams and size."""
    sizes = [stop - start for start, stop in zip(model.starts[1:], model.starts[2:], strict=False)]
    orders = ", ".join(f"{size:,} {order}-grams" for order, size in enumerate(sizes, 1))
    return f"{path}: {orders}; {path.stat().st_size / 1e6:.1f} MB"
