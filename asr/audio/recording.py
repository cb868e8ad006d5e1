"""Open a recording, or say why it cannot be used."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import soundfile

from asr.audio.truncation import find_truncation
from asr.errors import AudioError

KNOWN = "WAV, FLAC, Ogg, MP3, AIFF"
# The same by libsndfile's names. It reads others too, but in those a missing end goes unnoticed.
FORMATS = ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF")
# Hz. Speech needs several times as much. A lower rate means a damaged header, and resampling from
# it would turn a few bytes into a full memory.
MIN_SAMPLE_RATE = 1000
# What libsndfile reports for a file whose header leaves the length open.
UNKNOWN_LENGTH = 2**63 - 1


class Recording(soundfile.SoundFile):  # type: ignore[misc]  # untyped
    """A file to decode front to back.

    After every read of a seekable file, soundfile seeks to where it already is. That restarts the
    MP3 decoder, without the bits that a frame borrows from earlier ones: a click wherever two reads
    meet.
    """

    def seekable(self) -> bool:
        """Keep soundfile from seeking by itself; `seek` still works."""
        return False


@contextmanager
def open_recording(path: Path) -> Iterator[Recording]:
    """Open a recording that has samples. Every failure, also in the block, is an AudioError."""
    try:
        _check_file(path)
        # By descriptor, not by name: libsndfile then goes by the content, not by the ending.
        with path.open("rb", buffering=0) as file, _decoder(path, file.fileno()) as recording:
            if recording.frames == 0:
                raise AudioError(
                    f"{path}: its header says that it holds no samples; record or export it again"
                )
            if recording.frames == UNKNOWN_LENGTH:
                raise AudioError(f"{path}: its header leaves the length open; re-encode it")
            if recording.samplerate < MIN_SAMPLE_RATE:
                raise AudioError(
                    f"{path}: its sample rate is {recording.samplerate} Hz, expected at least "
                    f"{MIN_SAMPLE_RATE} Hz; record or export it again"
                )
            yield recording
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError(f"{path}: no such file") from error
    except PermissionError as error:
        raise AudioError(f"{path}: reading it is not permitted; change its permissions") from error
    except OSError as error:
        raise AudioError(f"{path}: cannot be read: {error.strerror or error}") from error
    except soundfile.LibsndfileError as error:
        raise truncated(path, f"the decoder stopped: {error.error_string}") from error


def truncated(path: Path, reason: str) -> AudioError:
    """Make the error for a recording that is incomplete."""
    return AudioError(f"{path}: is truncated or damaged: {reason}; copy or download it again")


def _check_file(path: Path) -> None:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise AudioError(f"{path}: is a folder; name the audio files in it")
    if not stat.S_ISREG(status.st_mode):
        raise AudioError(f"{path}: is not a regular file; save the recording to one")
    if status.st_size == 0:
        raise AudioError(f"{path}: is empty (0 bytes); copy or record it again")
    with path.open("rb") as file:
        reason = find_truncation(file, status.st_size)
    if reason is not None:
        raise truncated(path, reason)


def _decoder(path: Path, descriptor: int) -> Recording:
    """Open a file with libsndfile, which recognises it by its content."""
    try:
        recording = Recording(descriptor, closefd=False)
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{path}: is not audio of a known format ({KNOWN}): {error.error_string}"
        ) from error
    if recording.format not in FORMATS:
        recording.close()
        raise AudioError(f"{path}: is {recording.format} audio; convert it to one of {KNOWN}")
    return recording
