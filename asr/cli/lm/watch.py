"""What `asr lm train` shows while it trains: a progress bar, a line per validation, metrics."""

import json
from pathlib import Path
from typing import Never, Self

from tqdm import tqdm

from asr.char_lm.progress import ChunkReport, ValidationReport
from asr.cli.watch import metrics_of
from asr.files import append_line


class LanguageRunWatcher:
    """Shows a run in the terminal and writes its metrics into the run's folder."""

    def __init__(self, folder: Path) -> None:
        self._metrics = metrics_of(folder)
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def on_chunk(self, report: ChunkReport) -> None:
        """Advance the bar."""
        if self._bar is None:
            self._bar = tqdm(
                initial=(report.step - 1) * report.n_characters,
                total=report.n_steps * report.n_characters,
                unit="char",
                unit_scale=True,
                leave=False,
                disable=None,
            )
        self._bar.set_postfix_str(f"{report.bits:.3f} bits/char", refresh=False)
        self._bar.update(report.n_characters)

    def on_validation(self, report: ValidationReport) -> None:
        """Print the validation's line and append it to the metrics."""
        dev = report.dev
        tqdm.write(
            f"epoch {report.epoch:6.3f}  update {report.step:6d}  "
            f"{report.bits:.4f} bits/char  dev {dev.bits_per_character:.4f} bits/char, "
            f"word perplexity {dev.per_word:.1f}{'  best' if report.is_best else '      '}  "
            f"{report.seconds / 60:6.1f} min"
        )
        record = {
            "epoch": report.epoch,
            "step": report.step,
            "bits": report.bits,
            "dev_bits": dev.bits_per_character,
            "dev_word_perplexity": dev.per_word,
            "is_best": report.is_best,
            "seconds": report.seconds,
        }
        append_line(self._metrics, json.dumps(record))
