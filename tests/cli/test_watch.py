from pathlib import Path

import pytest

from asr.cli.watch import RunWatcher
from asr.report.learning_curve import read_reports
from asr.train.progress import EpochReport


def report(epoch: int, n_skipped: int = 0) -> EpochReport:
    return EpochReport(
        epoch=epoch,
        step=8,
        loss=2.5,
        dev_loss=3.5,
        wer=0.5,
        is_best=True,
        hours_per_hour=100.0,
        seconds=60.0,
        n_skipped=n_skipped,
    )


@pytest.mark.parametrize(("n_skipped", "end"), [(0, " min"), (3, " min  3 skipped")])
def test_the_line_of_an_epoch_counts_the_utterances_that_took_no_part(
    n_skipped: int, end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RunWatcher(tmp_path, n_dev_words=1) as watcher:
        watcher.on_epoch(report(1, n_skipped))

    assert capsys.readouterr().out.endswith(f"{end}\n")
    assert "dev WER 50.00 %" in (tmp_path / "learning.svg").read_text()


def test_a_run_that_starts_over_has_its_own_epochs_only(tmp_path: Path) -> None:
    for epoch in (3, 1):  # no state is there: the first run was deleted
        with RunWatcher(tmp_path, n_dev_words=1) as watcher:
            watcher.on_epoch(report(epoch))
    assert [one.epoch for one in read_reports(tmp_path / "metrics.jsonl")] == [1]

    (tmp_path / "state.safetensors").touch()
    with RunWatcher(tmp_path, n_dev_words=1) as watcher:
        watcher.on_epoch(report(2))
    assert [one.epoch for one in read_reports(tmp_path / "metrics.jsonl")] == [1, 2]
