from pathlib import Path

import pytest

from asr.cli.watch import RunWatcher
from asr.train.progress import EpochReport


@pytest.mark.parametrize(("n_skipped", "end"), [(0, " min"), (3, " min  3 skipped")])
def test_the_line_of_an_epoch_counts_the_utterances_that_took_no_part(
    n_skipped: int, end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = EpochReport(
        epoch=1,
        step=8,
        loss=2.5,
        dev_loss=3.5,
        wer=0.5,
        is_best=True,
        hours_per_hour=100.0,
        seconds=60.0,
        n_skipped=n_skipped,
    )

    with RunWatcher(tmp_path, n_dev_words=1) as watcher:
        watcher.on_epoch(report)

    assert capsys.readouterr().out.endswith(f"{end}\n")
    assert "dev WER 50.00 %" in (tmp_path / "learning.svg").read_text()
