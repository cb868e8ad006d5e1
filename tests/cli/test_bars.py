import io
import time
from pathlib import Path

import numpy as np

from asr.audio.write import write_waveform
from asr.cli.bars import HoursBar


def test_hours_are_counted_of_those_that_headers_promise(tmp_path: Path) -> None:
    paths = [tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "bad.wav"]
    for path in paths[:2]:
        write_waveform(path, np.zeros(16000 * 36), 16000)
    shown = io.StringIO()

    with HoursBar(paths, file=shown) as bar:
        for _ in range(100):
            bar.advance(0.0)
            time.sleep(0.12)  # the bar is drawn ten times a second at most
            if "of 0.02 h" in shown.getvalue():
                break
        bar.advance(36.0)
        time.sleep(0.12)
        bar.advance(0.0)
        bar.fail(paths[1])

    assert " 50%|" in shown.getvalue()
    assert "0.01 of 0.02 h" in shown.getvalue()
    last = next(line for line in shown.getvalue().split("\r") if "failed" in line)
    assert "100%" in last
    assert "0.01 of 0.01 h" in last
    assert "1 failed" in last


def test_what_no_header_promises_counts_once_it_is_done() -> None:
    shown = io.StringIO()
    with HoursBar(["s3://bucket/a.wav", Path("-")], file=shown) as bar:
        bar.advance(360.0)
        time.sleep(0.12)
        bar.advance(360.0)
    assert "0.20 of 0.20 h" in shown.getvalue()
