import signal

import pytest

from asr.cli.stopping import StopSignals
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
