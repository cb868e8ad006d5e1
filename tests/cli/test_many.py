"""Many recordings: folders, what is done already, what fails, signals, shares."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import asr.cli.delivery
from asr.cli import main
from asr.cli.delivery import format_of
from asr.corpus.utterance import Utterance
from asr.files import write_text
from asr.recognizer import load_model
from asr.text.formats import FORMATS

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def archive(recordings: list[Path], tmp_path: Path) -> Path:
    """A folder of three good recordings, two of which have the same name, and a bad one."""
    folder = tmp_path / "archive"
    (folder / "1999" / "may").mkdir(parents=True)
    for name, recording in (
        ("one.wav", recordings[0]),
        ("1999/one.wav", recordings[0]),
        ("1999/may/two.flac", recordings[1]),
    ):
        (folder / name).write_bytes(recording.read_bytes())
    (folder / "1999" / "bad.mp3").write_text("Dear reader, this is not audio.")
    return folder


@pytest.fixture
def transcribe(model: Path) -> Callable[..., int]:
    return lambda *words: main(["transcribe", "--model", str(model), *map(str, words)])


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], check=False, capture_output=True, text=True, cwd=ROOT
    )


def test_a_folder_is_transcribed_with_the_paths_in_it(
    transcribe: Callable[..., int],
    archive: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert transcribe(archive, "--output", tmp_path / "out", "--format", "json") == 1

    names = ["1999/may/two.json", "1999/one.json", "failures.tsv", "one.json"]
    assert files_in(tmp_path / "out") == names
    ids = [json.loads((tmp_path / "out" / name).read_text())["id"] for name in names[:2]]
    assert ids == ["may/two", "1999/one"]  # as much of their paths as tells all apart
    bad = archive / "1999" / "bad.mp3"
    rows = (tmp_path / "out" / "failures.tsv").read_text().splitlines()
    assert rows[0] == "recording\treason"
    assert rows[1].startswith(f"{bad}\t{bad}: is not audio")
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith(f"asr: {bad}: is not audio")
    assert err[1] == "asr: 1 of 4 recordings could not be transcribed"


def test_what_is_done_is_not_done_again_unless_asked_for(
    transcribe: Callable[..., int],
    archive: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    (archive / "1999" / "bad.mp3").unlink()
    (out / "1999").mkdir(parents=True)
    (out / "1999" / "one.txt").write_text("BY HAND\n")

    assert transcribe(archive, "--output", out) == 0

    assert (out / "1999" / "one.txt").read_text() == "BY HAND\n"
    assert "1 recording done already" in capsys.readouterr().err
    assert transcribe(archive, "--output", out, "--overwrite") == 0
    assert (out / "1999" / "one.txt").read_text() == (out / "one.txt").read_text() != "BY HAND\n"


def test_what_is_done_in_one_format_is_not_done_in_another(
    transcribe: Callable[..., int], recordings: list[Path], tmp_path: Path
) -> None:
    for name in FORMATS:
        assert transcribe(recordings[0], "--format", name, "--output", tmp_path / "out") == 0

    assert len(files_in(tmp_path / "out")) == len(FORMATS)


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("talk.json", "json"),
        ("talk.whisper.json", "whisper"),
        ("talk.whisper", "whisper"),
        ("a.b.TextGrid", "TextGrid"),
        ("a.srt.txt", "txt"),
        ("talk.wav", None),
        (".json", None),
        ("texts", None),
    ],
)
def test_the_ending_of_a_file_tells_its_format(name: str, format_: str | None) -> None:
    assert format_of(Path("folder.json", name)) == format_


def test_failures_that_do_not_hold_any_more_are_not_listed(
    transcribe: Callable[..., int], archive: Path, tmp_path: Path
) -> None:
    assert transcribe(archive, "--output", tmp_path / "out") == 1
    (archive / "1999" / "bad.mp3").write_bytes((archive / "one.wav").read_bytes())

    assert transcribe(archive, "--output", tmp_path / "out") == 0

    assert "failures.tsv" not in files_in(tmp_path / "out")


def test_shares_are_disjoint_and_together_everything(
    transcribe: Callable[..., int], archive: Path, tmp_path: Path
) -> None:
    shares = []
    for number in (1, 2, 3):
        out = tmp_path / str(number)
        transcribe(archive, "--output", out, "--shard", f"{number}/3")
        shares.append(set(files_in(out)))

    texts = [name for share in shares for name in share if name.endswith(".txt")]
    assert sorted(texts) == ["1999/may/two.txt", "1999/one.txt", "one.txt"]
    tables = [name for share in shares for name in share if name.endswith(".tsv")]
    assert tables == ["failures.2-of-3.tsv"]  # of the share that has the bad recording


@pytest.mark.parametrize("share", ["0/3", "4/3", "1", "a/b", "1/2/3"])
def test_a_share_that_is_none_is_refused(
    transcribe: Callable[..., int], share: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        transcribe("x.wav", "--shard", share)
    assert "I/N" in capsys.readouterr().err


def test_recordings_whose_names_differ_in_nothing_else_keep_their_endings(
    transcribe: Callable[..., int], recordings: list[Path], tmp_path: Path
) -> None:
    twin, other = recordings[0].with_suffix(".wave"), tmp_path / "x" / recordings[1].name
    other.parent.mkdir()
    twin.write_bytes(recordings[0].read_bytes())
    other.write_bytes(recordings[1].read_bytes())

    assert transcribe(*recordings, twin, other, "--output", tmp_path / "out") == 0

    assert files_in(tmp_path / "out") == [
        "my recordings/two.flac.txt",
        "one.wav.txt",
        "one.wave.txt",
        "x/two.flac.txt",
    ]


def test_one_recording_goes_to_the_file_that_is_named_in_its_format(
    transcribe: Callable[..., int],
    recordings: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "new" / "talk.vtt"
    assert transcribe(recordings[0], "--output", output) == 0
    assert output.read_text().startswith("WEBVTT\n")
    assert transcribe(recordings[0], "--output", tmp_path / "talk.txt", "--format", "trn") == 0
    assert (tmp_path / "talk.txt").read_text().endswith(" (one)\n")
    with pytest.raises(SystemExit):
        transcribe(*recordings, "--output", output)
    assert "several recordings need --output FOLDER" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder_is_refused_before_any_work(
    transcribe: Callable[..., int],
    recordings: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "out").write_text("mine")
    for several in (recordings[:1], recordings):
        with pytest.raises(SystemExit, match="2"):
            transcribe(*several, "--output", tmp_path / "out")
        assert "out is a file; name a folder, or NAME.FORMAT" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("name", ["out", "talk.srt"])
def test_a_folder_that_cannot_be_made_is_refused_before_any_work(
    name: str,
    recordings: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = recordings[1] / name
    words = ["transcribe", str(recordings[0]), "--model", str(tmp_path), "--output", str(output)]

    assert main(words) == 1  # and not because that is no model

    told = capsys.readouterr().err
    assert told.startswith(f"asr: error: {recordings[1]}")
    assert "failures.tsv" not in told


@pytest.mark.parametrize("obstacle", ["a folder in its place", "a name that is too long"])
def test_an_output_that_cannot_be_written_is_a_failure_and_the_others_go_on(
    obstacle: str,
    transcribe: Callable[..., int],
    recordings: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, bad = tmp_path / "out", recordings[0]
    if obstacle == "a folder in its place":
        (out / "one.TextGrid").mkdir(parents=True)
    else:
        bad = recordings[0].rename(recordings[0].with_name("a" * 250 + ".wav"))

    files = ("--output", out, "--format", "TextGrid")
    assert transcribe(bad, recordings[1], *files) == 1

    assert (out / "two.TextGrid").is_file()
    assert files_in(out) == ["failures.tsv", "two.TextGrid"]
    told = f"asr: {out / bad.stem}.TextGrid: "
    assert capsys.readouterr().err.startswith(told)


def test_a_full_disk_leaves_whole_outputs_or_none(
    transcribe: Callable[..., int],
    recordings: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flush = os.fsync

    def full(descriptor: int) -> None:
        if "one" in Path(f"/proc/self/fd/{descriptor}").readlink().name:
            raise OSError(28, os.strerror(28))
        flush(descriptor)

    monkeypatch.setattr("os.fsync", full)
    assert transcribe(*recordings, "--output", tmp_path / "out") == 1
    assert files_in(tmp_path / "out") == ["failures.tsv", "two.txt"]
    assert f"{tmp_path / 'out' / 'one.txt'}: No space left on device" in capsys.readouterr().err


def test_a_name_with_line_ends_and_tabs_does_not_break_a_table(
    transcribe: Callable[..., int],
    recordings: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    odd, bad = tmp_path / "a\tb\nc.wav", tmp_path / "no\nthing.wav"
    odd.write_bytes(recordings[0].read_bytes())

    assert transcribe(odd, recordings[1], bad) == 1

    out, err = capsys.readouterr()
    assert [line.count("\t") for line in out.splitlines()] == [1, 1]
    assert out.startswith(f"{tmp_path}/a\\tb\\nc.wav\t")
    assert err.splitlines()[0].endswith("no\\nthing.wav: no such file")


def test_standard_input_is_read_once(
    transcribe: Callable[..., int],
    recordings: list[Path],
    capsys: pytest.CaptureFixture[str],
    model: Path,
) -> None:
    command = [sys.executable, "-m", "asr", "transcribe", "--model", str(model), "-"]
    with subprocess.Popen(
        ["cat", recordings[0]], stdout=subprocess.PIPE
    ) as cat:  # a pipe cannot seek
        piped = subprocess.run(command, stdin=cat.stdout, capture_output=True, check=True, cwd=ROOT)
    assert transcribe(recordings[0]) == 0
    assert piped.stdout.decode() == capsys.readouterr().out


def test_raw_samples_are_transcribed_as_the_recording_that_they_are_of(
    transcribe: Callable[..., int],
    recordings: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(recordings[0].read_bytes()[44:])
    assert transcribe(recordings[0]) == transcribe("--pcm", "16000", raw) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("16k", "expected RATE[:CHANNELS[:ENCODING]], got '16k'"),
        ("16000:0", "expected at least one channel, got 0"),
        ("16000:1:mp3", "expected a PCM encoding of "),
    ],
)
def test_a_pcm_format_that_is_none_is_refused(
    transcribe: Callable[..., int], given: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        transcribe("--pcm", given, "x.raw")
    assert complaint in capsys.readouterr().err


def test_a_url_is_a_recording(
    transcribe: Callable[..., int], recordings: list[Path], tmp_path: Path
) -> None:
    pytest.importorskip("fsspec")
    urls = [f"file://{recordings[0]}", f"file://{tmp_path}/missing.wav"]
    assert transcribe(*urls, "--output", tmp_path / "out") == 1
    assert files_in(tmp_path / "out") == ["failures.tsv", "one.txt"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_the_recordings_in_hand(
    number: signal.Signals,
    status: int,
    transcribe: Callable[..., int],
    recordings: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, out, already = tmp_path / "many", tmp_path / "out", list[Path]()
    folder.mkdir()
    for i in range(40):
        (folder / f"{i}.wav").write_bytes(recordings[0].read_bytes())

    def write(path: Path, text: str) -> None:
        write_text(path, text)
        if not already:
            already.append(path)
            signal.raise_signal(number)

    monkeypatch.setattr(asr.cli.delivery, "write_text", write)
    monkeypatch.setattr("asr.cli.transcribe.BATCH_DURATION", 1.0)
    assert transcribe(folder, "--output", out) == status

    n_done = len(files_in(out))
    assert 0 < n_done < 40
    err = capsys.readouterr().err
    assert "asr: stopping after the recordings in hand (Ctrl-C: at once)" in err
    assert f"the same command transcribes the {40 - n_done} that are left" in err
    monkeypatch.undo()
    assert transcribe(folder, "--output", out) == 0
    assert len(files_in(out)) == 40


@pytest.mark.parametrize(
    ("redirection", "told"),
    [
        (">&-", "asr: error: standard output is closed"),
        ("> /dev/full", "asr: error: standard output: No space left on device"),
    ],
)
def test_an_output_that_takes_nothing_is_a_message_and_no_traceback(
    redirection: str, told: str, model: Path, recordings: list[Path]
) -> None:
    command = [sys.executable, "-m", "asr", "transcribe", "--model", model, recordings[0]]
    ended = shell(f"{shlex.join(map(str, command))} {redirection}")
    assert ended.returncode == 1
    assert ended.stderr.startswith(told)
    assert "Traceback" not in ended.stderr


def test_a_closed_stderr_takes_nothing_from_the_output(model: Path) -> None:
    command = [sys.executable, "-m", "asr", "transcribe", "--model", str(model), "nowhere.wav"]
    ended = shell(f"{shlex.join(command)} 2>&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "")


def test_progress_is_told_in_seconds_that_add_up_to_the_recordings(
    recordings: list[Path], model: Path
) -> None:
    seconds: list[float] = []
    utterances = [Utterance(path.stem, path) for path in recordings]
    list(load_model(model).transcribe_all(utterances, progress=seconds.append))
    assert seconds == [0.5, 0.75]


FORK = """
import os, sys, asr
recognizer = asr.load_model(n_threads=2)
before = recognizer.transcribe("recipes/demo/speech.wav").text
child = os.fork()
if not child:
    os._exit(recognizer.transcribe("recipes/demo/speech.wav").text != before)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_that_forks_after_loading_a_model_does_not_hang() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    assert subprocess.run(command, check=False, cwd=ROOT, timeout=120).returncode == 0
