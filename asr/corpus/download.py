"""LibriSpeech and its language models from OpenSLR: downloaded and checked, or not there at all.

Unfinished work has another name: `NAME.tar.gz.part` while it is downloaded (the next attempt
continues it), and `.NAME.unpacking` while it is unpacked. A subset's own folder, or a file that is
no archive, appears complete, in one step, or not at all.
"""

import hashlib
import http
import http.client
import os
import platform
import shutil
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asr.errors import DownloadError
from asr.files import flush

BLOCK_BYTES = 1 << 20
TIMEOUT = 60.0  # seconds without a byte

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Archive:
    """A .tar.gz archive with its published size and MD5 sum (hexadecimal), or a file as it is.

    `folder` is the one that an archive contains, such as `LibriSpeech/dev-clean`; of a file, the
    path that it gets. `md5` is empty if none was published.
    """

    url: str
    n_bytes: int
    md5: str
    folder: str

    @property
    def is_packed(self) -> bool:
        """Whether it has to be unpacked."""
        return self.url.endswith(".tar.gz")


# By corpus and subset. The sums are from md5sum.txt next to the archives, the sizes from Kaldi's
# download_and_untar.sh.
OPENSLR: dict[str, Archive] = {
    f"{corpus}/{subset}": Archive(
        f"https://www.openslr.org/resources/{number}/{subset}.tar.gz",
        n_bytes,
        md5,
        folder=f"LibriSpeech/{subset}",
    )
    for corpus, number, subset, n_bytes, md5 in (
        ("mini_librispeech", 31, "train-clean-5", 332954390, "5df7d4e78065366204ca6845bb08f490"),
        ("mini_librispeech", 31, "dev-clean-2", 126046265, "6d7ab67ac6a1d2c993d050e16d61080d"),
        ("librispeech", 12, "train-clean-100", 6387309499, "2a93770f6d5c6c964bc36631d331a522"),
        ("librispeech", 12, "train-clean-360", 23049477885, "c0e676e450a7ff2f54aeade5171606fa"),
        ("librispeech", 12, "train-other-500", 30593501606, "d1a0fd59409feb2c614ce4d30c387708"),
        ("librispeech", 12, "dev-clean", 337926286, "42e2234ba48799c1f50f24a7926300a1"),
        ("librispeech", 12, "dev-other", 314305928, "c8d0bcc9cca99d4f8b62fcc847357931"),
        ("librispeech", 12, "test-clean", 346663984, "32fa31d27d2e1cad72775fee3f4849a9"),
        ("librispeech", 12, "test-other", 328757843, "fb5a50374b501bb3bac4815ee91d3135"),
    )
} | {
    f"librispeech/lm/{file}": Archive(
        f"https://www.openslr.org/resources/11/{file}", n_bytes, md5="", folder=f"lm/{file}"
    )
    for file, n_bytes in (  # no sums are published; the sizes are from Kaldi's download_lm.sh
        ("librispeech-vocab.txt", 1737588),
        ("librispeech-lexicon.txt", 5627646),
        ("3-gram.pruned.3e-7.arpa.gz", 13654242),
        ("3-gram.pruned.1e-7.arpa.gz", 34094057),
        ("3-gram.arpa.gz", 759636181),
        ("4-gram.arpa.gz", 1355172078),
    )
}


def download(archive: Archive, into: Path | str, *, progress: Progress | None = None) -> Path:
    """Download an archive, check it, and unpack it; do nothing if its folder is there already.

    A file that is no archive gets its place as it is.

    A broken download is resumed where it broke, as long as each attempt makes progress; so is what
    an earlier run left. The archive itself is deleted once it is unpacked.

    Args:
        archive: What to download; `OPENSLR` lists LibriSpeech's by name.
        into: Folder that receives `archive.folder` and the files next to it in the archive.
        progress: Called after each block with the number of bytes so far, and of all.

    Returns:
        The unpacked folder, or the file: `into / archive.folder`.

    Raises:
        DownloadError: The server refuses or keeps breaking off, the archive does not have the
            published size or sum (it is deleted then), lacks its folder or is unsafe to unpack, or
            this Python is too old to unpack safely.
    """
    target = Path(into) / archive.folder
    if target.exists():
        return target
    _check_python(archive)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(into) / f"{archive.url.rpartition('/')[2]}.part"
    _fetch(archive, partial, progress)
    _check(archive, partial)
    if archive.is_packed:
        _unpack(archive, partial, Path(into))
        partial.unlink()
    else:
        flush(partial)  # on disk before it has its name
        partial.replace(target)
    return target


def _check_python(archive: Archive) -> None:
    """Refuse to download what this Python cannot unpack safely."""
    if archive.is_packed and not hasattr(tarfile, "data_filter"):
        raise DownloadError(
            f"{archive.url}: Python {platform.python_version()} cannot unpack archives safely; "
            "use 3.11.4 or later"
        )


def _fetch(archive: Archive, partial: Path, progress: Progress | None) -> None:
    """Download until all is there; resume a broken connection if it made progress."""
    while (n_before := _size(partial)) < archive.n_bytes:
        try:
            _fetch_from(archive, partial, n_before, progress)
            reason = "the connection was closed early"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and n_before:
                return  # the server has no more; the size tells that it is wrong
            raise DownloadError(f"{archive.url}: the server answered {error}") from error
        except DownloadError:  # an OSError too, but not one to try again
            raise
        except (http.client.HTTPException, OSError) as error:
            reason = str(error)
        n_now = _size(partial)
        if n_now <= n_before:
            raise DownloadError(f"{archive.url}: {reason}, after {n_now} bytes; try again later")


def _size(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0


def _fetch_from(archive: Archive, partial: Path, start: int, progress: Progress | None) -> None:
    """Append what follows byte `start`, as far as the server sends it."""
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(archive.url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0  # the server cannot resume
        if response.length is not None:
            _check_size(archive, start + response.length)
        done = start
        with partial.open("ab" if start else "wb") as file:
            while block := response.read(BLOCK_BYTES):
                file.write(block)
                done += len(block)
                if progress is not None:
                    progress(done, archive.n_bytes)


def _check(archive: Archive, partial: Path) -> None:
    """Compare with what was published; delete what is wrong, since resuming cannot mend it."""
    try:
        _check_size(archive, _size(partial))
        if not archive.md5:
            return
        with partial.open("rb") as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if md5 != archive.md5:
            raise DownloadError(
                f"{archive.url}: has the MD5 sum {md5}, but {archive.md5} was published; "
                "download it again"
            )
    except DownloadError:
        partial.unlink()
        raise


def _check_size(archive: Archive, n_bytes: int) -> None:
    if n_bytes != archive.n_bytes:
        raise DownloadError(
            f"{archive.url}: has {n_bytes} bytes, but {archive.n_bytes} were published; "
            "download it again"
        )


def _unpack(archive: Archive, partial: Path, into: Path) -> None:
    """Unpack next to the target, then move it there in one step, its companions first."""
    staging = into / f".{partial.stem}.unpacking"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        with tarfile.open(partial, "r:gz") as tar:
            tar.extractall(staging, filter="data")
        wanted = staging / archive.folder
        if not wanted.is_dir():
            raise DownloadError(f"{archive.url}: has no folder {archive.folder}")
        for companion in wanted.parent.iterdir():
            if companion.is_file():
                companion.replace(into / companion.relative_to(staging))
        os.sync()  # on disk before it has its name
        wanted.rename(into / archive.folder)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DownloadError(f"{archive.url}: cannot be unpacked safely: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
