"""Delivery: where transcripts go, standard output, a file, or a folder of them."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from asr.cli.recordings import Failure, Named
from asr.files import write_text
from asr.text.formats import FORMATS, ending
from asr.text.markdown import visible
from asr.text.transcript import Transcript

SELF_CONTAINED = ("srt", "vtt", "tsv", "whisper", "TextGrid")  # a file holds one transcript


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers transcripts.

    Attributes:
        format: One of `FORMATS`.
        output: The file of a single transcript, or the folder of many; None: standard output.
        is_single: There is but one.
        share: In the name of a folder's list of failures, since each share of the work has its own.
    """

    format: str
    output: Path | None
    is_single: bool
    share: str = ""

    @property
    def has_folder(self) -> bool:
        """Whether each transcript gets a file in a folder."""
        return self.output is not None and not is_file(self.output)

    @property
    def reserved(self) -> list[Path]:
        """What no transcript may be called, without the ending."""
        return [Path(f"failures{self.share}")] if ending(self.format) == "tsv" else []

    def path_of(self, named: Named) -> Path | None:
        """Return the file of a transcript; None: standard output."""
        if self.output is None or not self.has_folder:
            return self.output
        return self.output / f"{named.output}.{ending(self.format)}"

    def make_folder(self) -> None:
        """Make the folder for what is written; if that cannot be, nothing need be recognised.

        Raises:
            OSError: It cannot be made.
        """
        if self.output is not None:
            folder = self.output if self.has_folder else self.output.parent
            folder.mkdir(parents=True, exist_ok=True)

    def is_done(self, named: Named) -> bool:
        """Tell whether a folder has a transcript already."""
        path = self.path_of(named)
        try:
            return self.has_folder and path is not None and path.is_file()
        except OSError:  # a name that is too long; writing will say so
            return False

    def __call__(self, named: Named, transcript: Transcript) -> None:
        """Write or print a transcript, whole or not at all.

        Raises:
            DataError: The format cannot hold it.
            OSError: The file cannot be written.
        """
        text = FORMATS[self.format](replace(transcript, id=named.id))
        path = self.path_of(named)
        if path is not None:
            write_text(path, text)
            return
        if self.format == "txt" and not self.is_single:
            text = f"{visible(str(named.source))}\t{text}"
        try:
            tqdm.write(text, end="")  # around the progress bar
            sys.stdout.flush()  # at once, even into a pipe
        except OSError as error:
            error.filename = "standard output"
            raise

    def list_failures(self, failures: Sequence[Failure]) -> None:
        """Write a folder's table of failures, or remove one that does not hold any more."""
        if self.output is None or not self.has_folder:
            return
        path = self.output / f"failures{self.share}.tsv"
        if not failures:
            path.unlink(missing_ok=True)
            return
        rows = [
            f"{visible(str(failure.source))}\t{visible(failure.reason)}\n" for failure in failures
        ]
        write_text(path, "".join(["recording\treason\n", *rows]))


def is_file(output: Path | None) -> bool:
    """Tell whether an output is a file: it ends as those of a format do, and is no folder yet."""
    return output is not None and format_of(output) is not None and not output.is_dir()


def format_of(path: Path) -> str | None:
    """Find the format that files with the ending of this one have."""
    formats = {f".{end}".lower(): name for name in FORMATS for end in (name, ending(name))}
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return formats.get("".join(suffixes[-2:]), formats.get("".join(suffixes[-1:])))
