import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from asr.cli import VERBS, main, parser
from asr.cli import report as report_verb
from asr.cli.lm import VERBS as LM_VERBS
from asr.cli.stopping import Terminated
from asr.errors import DataError
from asr.provenance import own_version

ROOT = Path(__file__).parent.parent.parent


EVERY_VERB = [*VERBS, *(f"lm {verb}" for verb in LM_VERBS)]


@pytest.mark.parametrize("verb", EVERY_VERB)
def test_the_help_of_a_verb_teaches_by_an_example(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*verb.split(), "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "Example" in text
    assert f"  asr {verb} " in text


@pytest.mark.parametrize("verb", EVERY_VERB)
def test_the_examples_in_the_help_of_a_verb_are_commands_of_asr(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*verb.split(), "--help"])
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("  asr ") and not line.endswith(("...", "--help")):
            parser().parse_args(shlex.split(line)[1:])


def test_no_verb_needs_torch_to_be_explained() -> None:
    code = (
        "import importlib, sys, asr.cli as cli, asr.cli.lm as lm\n"
        "for package, verbs in (('asr.cli', cli.VERBS), ('asr.cli.lm', lm.VERBS)):\n"
        "    for verb in verbs: importlib.import_module(f'{package}.{verb}')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_the_help_names_every_verb_beside_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [v for v in VERBS if not any(w[:1] == [v] and len(w) > 1 for w in lines)] == []


@pytest.mark.parametrize("words", [[], ["no-such-verb"], ["score"], ["decode", "--beam"]])
def test_words_that_make_no_command_end_with_the_usage_and_status_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: asr")


@pytest.mark.parametrize(
    ("verb", "words"),
    [("transcribe", "--workers 2 x.wav"), ("lm convert", "a.arpa b --output c.lm")],
)
def test_words_that_a_verb_does_not_know_are_refused_with_its_own_usage(
    verb: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*verb.split(), *words.split()])
    told = capsys.readouterr().err
    assert told.startswith(f"usage: asr {verb} [-h] ")
    assert f"asr {verb}: error: unrecognized arguments: " in told


def test_waiting_threads_leave_the_cores_to_others_unless_the_user_says_otherwise() -> None:
    code = "from asr.cli import main\ntry: main(['--version'])\nexcept SystemExit: import torch"
    for given, policy in ({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"):
        inherited = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
        environment = {**inherited, "OMP_DISPLAY_ENV": "TRUE", **given}  # OpenMP tells, on stderr
        told = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        ).stderr
        assert re.search(rf"OMP_WAIT_POLICY\s*=\s*'{policy}'", told), told


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"asr {own_version()}\n")


@pytest.mark.parametrize(
    "words",
    [
        "train c.toml --train t.jsonl --dev d.jsonl --output .",
        "pack model --output /",
        "synthesise . --utterances 1 --speakers 1",
        "prepare corpus --output .",
        "decode model m.jsonl --output ..",
        "score m.jsonl h.jsonl --output /",
        "report s.json --output .",
    ],
)
def test_an_output_that_cannot_be_made_is_refused_before_any_work(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert "folder" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (DataError("x.json: is odd"), 1, "asr: error: x.json: is odd\n"),
        (PermissionError(13, "Permission denied", "x"), 1, "asr: error: x: Permission denied\n"),
        (OSError("no space"), 1, "asr: error: no space\n"),
        (KeyboardInterrupt(), 130, "asr: interrupted\n"),
        (Terminated(), 143, "asr: terminated\n"),
    ],
)
def test_what_a_user_can_mend_is_one_line_on_stderr(
    error: BaseException,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(report_verb, "run", fail)
    assert main(["report", "x.json", "--output", "y.md"]) == status
    assert capsys.readouterr().err == message


def test_our_own_mistakes_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr(report_verb, "run", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["report", "x.json", "--output", "y.md"])


def test_a_folder_that_cannot_be_written_is_named(
    model: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    status = main(["decode", str(model), str(manifest), "--output", str(tmp_path / "file" / "h")])
    assert status == 1
    assert capsys.readouterr().err.startswith(f"asr: error: {tmp_path / 'file'}: ")


def test_when_the_reader_goes_away_the_rest_is_dropped_quietly(
    model: Path, recordings: list[Path]
) -> None:
    command = [sys.executable, "-m", "asr", "transcribe", "--threads", "1", "--model", str(model)]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [*command, *map(str, recordings)],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_what_libraries_log_for_themselves_is_not_told() -> None:
    code = """
import logging
from asr.cli import main
main(["score", "no.jsonl", "no.jsonl"])
logging.getLogger("botocore.credentials").info("found credentials")
logging.getLogger("asr.any").info("ours")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "found credentials" not in ended.stderr
    assert ended.stderr.endswith("asr: ours\n")


@pytest.mark.parametrize(
    "words",
    [
        ["lm", "build", "FILE", "--order", "2", "--output", "FILE"],
        ["lm", "convert", "FILE", "--output", "FILE"],
        ["lexicon", "other.dict", "--words", "other.txt", "FILE", "--output", "FILE"],
        ["prepare", "other", "FILE", "--output", "FILE"],
        ["decode", "english", "FILE", "--output", "FILE"],
        ["score", "FILE", "other.jsonl", "--output", "FILE"],
        ["report", "FILE", "--output", "FILE"],
        ["tune", "english", "FILE", "--emissions", "FILE"],
    ],
)
def test_no_verb_writes_over_what_it_reads(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "given.json"
    path.write_text("a work of years")
    same = tmp_path / ".." / tmp_path.name / "given.json"
    first, *others = (i for i, word in enumerate(words) if word == "FILE")
    words = [
        str(path) if i == first else str(same) if i in others else w for i, w in enumerate(words)
    ]
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "is one of the inputs, and would be written over" in capsys.readouterr().err
    assert path.read_text() == "a work of years"
