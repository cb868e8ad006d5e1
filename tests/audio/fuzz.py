"""Read recordings that are broken in every way that chance finds; by hand, for hours.

    python tests/audio/fuzz.py --seed 1 --minutes 60

Each case is made from the seed and its own number, so that a case that fails can be made again:
`--first CASE --cases 1 --keep FILE`. A crash of the process is a failure of the last case named.
"""

import argparse
import faulthandler
import io
import resource
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from asr.audio.recording import open_recording
from asr.errors import AudioError

RATE = 16000
SECONDS_A_CASE = 20  # after which it hangs
MEMORY = 2 << 30  # bytes of address space that decoding may add
MAX_SAMPLES = 1 << 25  # of a case: more of the same shows nothing new
HEADER_BYTES = 300
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def encode(samples: np.ndarray, container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=container, subtype=subtype)
    return file.getvalue()


@cache
def whole_recordings() -> list[bytes]:
    """A quarter of a second in every container and codec that libsndfile and FFmpeg write here."""
    time_ = np.arange(RATE // 4) / RATE
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(time_))
    mono = 0.3 * np.sin(2 * np.pi * 400 * time_) + noise
    recordings = []
    for container in sorted(soundfile.available_formats().keys() - {"SD2"}):  # writes two files
        for subtype in soundfile.available_subtypes(container):
            for samples in (mono, np.stack([mono, noise], axis=1)):
                try:
                    recordings.append(encode(samples, container, subtype))
                except (soundfile.LibsndfileError, ValueError):
                    continue  # read only, or mono only
    return recordings + _by_ffmpeg(mono)


def _by_ffmpeg(samples: np.ndarray) -> list[bytes]:
    try:
        import av
    except ImportError:
        return []
    frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "flt", "mono")
    frame.sample_rate = RATE
    recordings = []
    for container, codec in (("mp4", "aac"), ("webm", "libopus"), ("adts", "aac"), ("avi", "mp2")):
        file = io.BytesIO()
        with av.open(file, "w", format=container) as output:
            stream = output.add_stream(codec, rate=RATE)
            stream.layout = "mono"
            form = stream.codec_context.format.name
            for converted in av.AudioResampler(format=form, layout="mono").resample(frame):
                output.mux(stream.encode(converted))
            output.mux(stream.encode(None))
        recordings.append(file.getvalue())
    return recordings


def make_case(seed: int, case: int) -> bytes:
    """Break a recording in one to six ways."""
    random = np.random.default_rng([seed, case])
    recordings = whole_recordings()
    content = bytearray(recordings[random.integers(len(recordings))])
    for _ in range(random.integers(1, 7)):
        _break(content, recordings[random.integers(len(recordings))], random)
    return bytes(content)


def _break(content: bytearray, other: bytes, random: np.random.Generator) -> None:
    is_header = random.random() < 0.6
    n_places = min(len(content), HEADER_BYTES) if is_header else len(content)
    at = int(random.integers(max(1, n_places)))
    n_bytes = int(2 ** random.uniform(0, 12))
    match int(random.integers(9)):
        case 0 | 1 if at < len(content):
            content[at] ^= 1 << int(random.integers(8))
        case 2 | 3:
            width, order = int(random.choice([1, 2, 4, 8])), str(random.choice(["little", "big"]))
            number = int(random.choice(NUMBERS)) & (1 << 8 * width) - 1
            content[at : at + width] = number.to_bytes(width, order)  # type: ignore[arg-type]
        case 4:
            content[at : at + n_bytes] = random.bytes(n_bytes)
        case 5:
            del content[at : at + n_bytes]
        case 6:
            content[at:at] = content[at : at + n_bytes] or random.bytes(n_bytes)
        case 7:
            content += other
        case 8 if random.random() < 0.3:
            del content[at:]


def read_case(content: bytes) -> bool:
    """Read a recording, whole or from its middle on; tell whether it could be read."""
    file, n_samples = io.BytesIO(content), 0
    try:
        with open_recording(file) as recording:
            offset = (recording.duration or 0) / 2 if len(content) % 4 == 0 else 0
            for block in recording.blocks(RATE, offset=offset):
                assert block.dtype == np.float32, block.dtype
                assert block.ndim == 1, block.shape
                assert np.isfinite(block).all()
                n_samples += len(block)
                if n_samples > MAX_SAMPLES:
                    break
            assert n_samples
            assert all(isinstance(note, str) for note in recording.notes)
    except AudioError as error:
        if not str(error).startswith("the recording: "):
            raise
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--cases", type=int, default=sys.maxsize)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--keep", type=Path, help="write the first case to this file")
    options = parser.parse_args()
    whole_recordings()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    end = time.monotonic() + 60 * options.minutes
    n_read = n_cases = 0
    while n_cases < options.cases and time.monotonic() < end:
        case = options.first + n_cases
        print(f"case {case} of seed {options.seed}", flush=True)
        content = make_case(options.seed, case)
        if options.keep and n_cases == 0:
            options.keep.write_bytes(content)
        faulthandler.dump_traceback_later(SECONDS_A_CASE, exit=True)
        n_read += read_case(content)
        faulthandler.cancel_dump_traceback_later()
        n_cases += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{n_cases} cases, {n_read} of them read, {peak} MB at most")


if __name__ == "__main__":
    main()
