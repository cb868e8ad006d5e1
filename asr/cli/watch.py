"""What `asr train` shows: a progress bar, a line per epoch, metrics, TensorBoard."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Never, Self

from tqdm import tqdm

from asr.cli.messages import tell
from asr.files import append_line, write_text
from asr.report.learning_curve import learning_curve, read_reports
from asr.text.markdown import visible
from asr.train.progress import EpochReport, StepReport
from asr.train.state import STATE_FILE

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

METRICS_FILE = "metrics.jsonl"  # of a run's folder: a report per line
CURVE_FILE = "learning.svg"


class RunWatcher:
    """Shows a run in the terminal and writes its curves into the run's folder.

    Args:
        folder: Gets `metrics.jsonl`, the picture `learning.svg`, and `tensorboard/` where
            TensorBoard is installed.
        n_dev_words: Words of the dev set.
    """

    def __init__(self, folder: Path, *, n_dev_words: int) -> None:
        self._metrics, self._curve = metrics_of(folder), folder / CURVE_FILE
        self._writer = _tensorboard(folder / "tensorboard")
        self._n_dev_words = n_dev_words
        self._bar: tqdm[Never] | None = None
        self._label = ""  # of the bar

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_bar()
        if self._writer is not None:
            self._writer.close()

    def on_step(self, report: StepReport) -> None:
        """Advance the bar; name utterances that took no part."""
        bar = self._bar_for(f"epoch {int(report.epoch - 1e-9) + 1}", report.n_batches, "batch")
        bar.set_postfix_str(
            f"loss {report.loss:.3f}, {report.hours_per_hour:.0f} h/h, "
            f"{report.seconds_left / 60:.0f} min left",
            refresh=False,
        )
        bar.update(report.batch - bar.n)
        if report.skipped:
            names = visible(", ".join(report.skipped))
            bar.write(f"skipped, fewer frames than CTC needs: {names}")
        if self._writer is not None:
            for name in ("loss", "gradient_norm", "learning_rate", "hours_per_hour"):
                self._writer.add_scalar(f"step/{name}", getattr(report, name), report.step)

    def on_validation(self, n_words: int) -> None:
        """Advance the bar of the dev set."""
        bar = self._bar_for("dev set", self._n_dev_words, "word")
        bar.update(n_words - bar.n)

    def on_epoch(self, report: EpochReport) -> None:
        """Print the epoch's line, append it to the metrics, and draw the curves anew."""
        self._close_bar()
        wer = "      -" if report.wer is None else f"{100 * report.wer:6.2f} %"
        dev_loss = "     -" if report.dev_loss is None else f"{report.dev_loss:6.3f}"
        print(
            f"epoch {report.epoch:3d}  loss {report.loss:6.3f}  dev loss {dev_loss}  "
            f"dev WER {wer:8}{'  best' if report.is_best else '      '}  "
            f"{report.hours_per_hour:4.0f} h/h  {report.seconds / 60:6.1f} min"
            f"{f'  {report.n_skipped} skipped' if report.n_skipped else ''}",
            flush=True,
        )
        append_line(self._metrics, json.dumps(dataclasses.asdict(report)))
        write_text(self._curve, learning_curve(read_reports(self._metrics)))
        if self._writer is not None:
            values = {"loss": report.loss, "dev_wer": report.wer, "dev_loss": report.dev_loss}
            for name, value in values.items():
                if value is not None:
                    self._writer.add_scalar(f"epoch/{name}", value, report.epoch)
            self._writer.flush()

    def _bar_for(self, label: str, total: int, unit: str) -> "tqdm[Never]":
        if self._bar is None or self._label != label:
            self._close_bar()
            self._bar = tqdm(total=total, desc=label, unit=unit, leave=False, disable=None)
            self._label = label
        return self._bar

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def metrics_of(folder: Path) -> Path:
    """Name the file of a run's metrics; delete it if the run's state was deleted."""
    path = folder / METRICS_FILE
    if not (folder / STATE_FILE).exists():
        path.unlink(missing_ok=True)
    return path


def _tensorboard(folder: Path) -> "SummaryWriter | None":
    """Open a TensorBoard log where the package is installed; it is an extra."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        tell("no TensorBoard curves: pip install 'asr-ctc[train]'")
        return None
    return SummaryWriter(str(folder))
