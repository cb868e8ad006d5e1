import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio.layout import View
from asr.cli import main
from asr.cli.stopping import StopSignals, terminating
from asr.errors import StoppedError


@pytest.mark.parametrize(("first", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_noted_and_only_ctrl_c_after_it_interrupts(
    first: signal.Signals, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with StopSignals() as signals:
        assert not signals.has_come()

        signal.raise_signal(first)
        signal.raise_signal(signal.SIGTERM)

        assert signals.has_come()
        assert signals.exit_status == status
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert capsys.readouterr().err.count("stopping") == 1


def test_signals_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with StopSignals(is_quiet=True):
        signal.raise_signal(signal.SIGINT)

    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_run_that_stops_is_reported_and_only_its_error_is_kept_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with StopSignals() as signals:
        raise StoppedError("stopped at update 3")
    assert signals.has_stopped
    assert capsys.readouterr().err == "asr: stopped at update 3\n"

    with pytest.raises(ValueError, match="a bug"), StopSignals():
        raise ValueError("a bug")


def test_sigterm_ends_a_block_and_is_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt), terminating():
        signal.raise_signal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_comes_while_libsndfile_reads_ends_the_run(
    number: signal.Signals,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    read, n_reads = View.readinto, 0

    def read_and_stop(view: View, buffer: bytearray) -> int:
        nonlocal n_reads
        n_reads += 1
        if n_reads == 20:
            signal.raise_signal(number)
        return read(view, buffer)

    speech = tmp_path / "speech.wav"  # of minutes, so that it is read in many pieces
    soundfile.write(speech, np.zeros(16000 * 180, np.int16), 16000)
    monkeypatch.setattr(View, "readinto", read_and_stop)
    output = tmp_path / "speech.srt"

    arguments = ["transcribe", "--search", "greedy", str(speech), "--output", str(output)]
    assert main(arguments) == status

    assert n_reads >= 20
    assert list(tmp_path.iterdir()) == [speech]
    assert "Traceback" not in capsys.readouterr().err
