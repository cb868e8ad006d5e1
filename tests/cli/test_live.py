"""Words while they are said: from a file, standard input, or a microphone."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import numpy as np
import pytest
import soundfile

from asr.audio.microphone import microphone_blocks
from asr.cli import main
from asr.errors import AudioError

ROOT = Path(__file__).parent.parent.parent


class FakeStream:
    """Plays a recording into the callback, and then presses Ctrl-C."""

    def __init__(
        self, samples: np.ndarray, callback: Callable[..., None], **settings: object
    ) -> None:
        self.samples, self.callback, self.settings = samples, callback, settings

    def __enter__(self) -> Self:
        for start in range(0, len(self.samples), 1000):
            block = self.samples[start : start + 1000, None]
            self.callback(block, len(block), None, None)
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def fake_sounddevice(samples: np.ndarray) -> SimpleNamespace:
    def stream(**settings: Any) -> FakeStream:  # noqa: ANN401
        return FakeStream(samples, **settings)

    return SimpleNamespace(
        InputStream=stream, PortAudioError=type("PortAudioError", (Exception,), {})
    )


def test_a_recording_is_followed_line_by_line_and_the_delay_is_told(
    model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", "--model", str(model), str(recordings[0]), "--follow"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) > 0
    assert err.startswith("asr: words come up to 4.5 seconds after they were said")


def test_a_pipe_with_a_header_is_not_followed_which_is_said(
    model: Path, recordings: list[Path]
) -> None:
    command = [sys.executable, "-m", "asr", "transcribe", "--model", str(model), "--follow", "-"]
    content = recordings[0].read_bytes()
    piped = subprocess.run(command, input=content, capture_output=True, check=True, cwd=ROOT)
    with recordings[0].open("rb") as file:
        redirected = subprocess.run(command, stdin=file, capture_output=True, check=True, cwd=ROOT)
    assert b"standard input is read to its end first" in piped.stderr
    assert b"standard input" not in redirected.stderr
    assert piped.stdout == redirected.stdout


def test_standard_input_is_followed_while_it_arrives() -> None:
    """The first words come before the last samples do."""
    command = [sys.executable, "-m", "asr", "transcribe", "--follow", "-", "--pcm", "16000"]
    speech, _ = soundfile.read(ROOT / "recipes" / "demo" / "speech.wav", dtype="int16")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as followed:
        watchdog = Timer(100, followed.kill)
        watchdog.start()
        assert followed.stdin is not None
        assert followed.stdout is not None
        followed.stdin.write(np.tile(speech, 6).tobytes())
        followed.stdin.flush()
        assert followed.stdout.readline().startswith(b"THE")
        assert followed.poll() is None
        followed.stdin.close()
        followed.stdout.read()
        followed.wait()
        watchdog.cancel()
    assert followed.returncode == 0


@pytest.mark.parametrize("words", [["--output", "x"], ["--format", "srt"], ["second.wav"]])
def test_only_the_text_of_one_recording_is_followed(
    model: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["transcribe", "--model", str(model), "--follow", "first.wav", *words])
    assert "--follow prints the text of one recording" in capsys.readouterr().err


def test_what_is_said_into_a_microphone_is_printed_after_ctrl_c_too(
    model: Path,
    recordings: list[Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples, _ = soundfile.read(recordings[0], dtype="float32")
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice(samples))
    polls: list[float] = []

    class EmptyAtLast:
        """A queue that is asked in vain once, as when nobody speaks, while Ctrl-C is pressed."""

        def __init__(self) -> None:
            self.blocks: list[np.ndarray] = []

        def put(self, block: np.ndarray) -> None:
            self.blocks.append(block)

        def get(self, timeout: float) -> np.ndarray:
            if self.blocks:
                return self.blocks.pop(0)
            polls.append(timeout)
            signal.raise_signal(signal.SIGINT)
            raise Empty

    from queue import Empty

    monkeypatch.setattr("asr.audio.microphone.SimpleQueue", EmptyAtLast)
    assert main(["listen", "--model", str(model)]) == 0
    said = capsys.readouterr().out.split()
    assert main(["transcribe", "--model", str(model), str(recordings[0])]) == 0
    assert said == capsys.readouterr().out.split() != []
    assert len(polls) == 1


def test_listening_without_sounddevice_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(AudioError, match=r"pip install 'asr-ctc\[mic\]'"):
        next(microphone_blocks(16000, device=None, must_stop=lambda: False))


def test_a_device_that_cannot_record_is_an_error_that_says_where_to_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = fake_sounddevice(np.zeros(0))

    def broken(**settings: object) -> FakeStream:
        raise fake.PortAudioError(f"no {settings['device']}")

    fake.InputStream = broken
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    with pytest.raises(AudioError, match="microphone: no USB; `python -m sounddevice` lists"):
        next(microphone_blocks(16000, device="USB", must_stop=lambda: False))
