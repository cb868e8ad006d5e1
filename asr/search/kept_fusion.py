"""Kept fusion: what a search made of its files, kept to be mapped into memory the next time.

A packed model's language model is unpacked, and its lexicon made into an automaton: half of a
second for 200,000 words, whenever a program starts. So the arrays are kept (see `kept_folder`), one
file for each pair of files and model. It opens in an instant, and processes share its memory. Its
name has a digest of all that it depends on: a stale one is never found. For the reasons, see
docs/decisions/0036-the-search-of-a-packed-model-is-kept-unpacked.md.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np

from asr.errors import DataError, warn_once
from asr.files import is_trusted, kept_folder
from asr.lm.array_file import Arrays, Kinds, read_arrays, write_arrays
from asr.lm.binary import is_compact
from asr.lm.ngram import make_nodes
from asr.lm.soundness import unsound
from asr.search.fusion import Fusion, Units, fuse
from asr.search.hotwords import make_hotwords
from asr.search.language import Language
from asr.search.lexicon import Lexicon

LEAST = 1_000_000  # bytes of a language model; a smaller one is unpacked as fast
N_KEPT = 3  # the last ones used; each has some 20 bytes an n-gram

_LOG = logging.getLogger(__name__)

_FORM = "asr-fusion-1"
_KINDS: Kinds = {
    "ngram.first_child": np.uint32,
    "ngram.words": np.int32,
    "ngram.log_probs": np.float32,
    "ngram.suffixes": np.int32,
    "ngram.backoffs": np.float32,
    "lexicon.first_arc": np.int32,
    "lexicon.arc_token": np.int32,
    "lexicon.arc_target": np.int32,
    "lexicon.word": np.int32,
    "lexicon.parent": np.int32,
    "lexicon.depth": np.int32,
    "lm_ids": np.int32,
    "words": np.uint8,
    "flags": np.uint8,  # whether the vocabulary is open, and whether words are pronounced
}
_SOURCES = ("lexicon", "lm", "search", "text")  # whose code makes a fusion of files


def load_fusion(
    tokens: Sequence[str],
    normaliser_name: str,
    phones: Sequence[str] | None,
    lm: Path | None,
    lexicon: Path | None,
) -> Fusion:
    """Map what `fuse` made of the same files before, or let it make that, and keep it.

    Nothing is kept of a language model that is small, or mapped itself. Arguments and errors are
    those of `fuse`, without hotwords: `Fusion.with_hotwords` adds them.
    """
    path = _path(lm, lexicon, repr((*tokens, phones and (*phones,), normaliser_name)))
    fusion = _read(path, tokens, phones or tokens) if path else None
    if fusion is None:
        fusion = fuse(tokens, normaliser_name, phones=phones, lm=lm, lexicon=lexicon)
        if path:
            _keep(path, fusion)
    return fusion


def _path(lm: Path | None, lexicon: Path | None, about: str) -> Path | None:
    """Name the file of a fusion; None if it is not to be kept, or its files cannot be read."""
    try:
        if lm is None or lm.stat().st_size < LEAST or not is_compact(lm):
            return None
        digests = [_digest(file) for file in (lm, lexicon) if file]
    except OSError:
        return None
    folder = kept_folder("searches")
    depends_on = "\n".join((_own_code(), about, *digests))
    name = hashlib.sha256(depends_on.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return folder / name if folder else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _own_code() -> str:
    """Return the digest of the code that makes a fusion of files."""
    package = Path(__file__).parents[1]
    sources = (path for part in _SOURCES for path in sorted((package / part).glob("*.py")))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _read(path: Path, tokens: Sequence[str], phones: Sequence[str]) -> Fusion | None:
    """Map what was kept; None if nothing was, or nothing to be trusted."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if hasattr(os, "posix_fadvise"):  # macOS lacks it
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        if not is_trusted(found):
            raise DataError("somebody else owns it")
        _, arrays = read_arrays(path, {_FORM: _KINDS}, "a fusion")
        fusion = _fusion(arrays, tokens, phones)
        with suppress(OSError):
            os.utime(path)  # the last ones used stay
    except FileNotFoundError:
        return None
    except (OSError, LookupError, ValueError) as error:
        warn_once(_LOG, f"{path} cannot be used ({error}): reading the model's files again")
        return None
    return fusion


def _fusion(arrays: Arrays, tokens: Sequence[str], phones: Sequence[str]) -> Fusion:
    """Put a fusion together.

    Raises:
        LookupError: As ValueError.
        ValueError: The arrays are damaged.
    """
    is_open, are_pronounced = arrays["flags"].tolist()
    nodes = make_nodes(**_parts(arrays, "ngram."))
    lexicon = Lexicon(**_parts(arrays, "lexicon."))
    words = tuple(arrays["words"].tobytes().decode().split("\n"))
    units = Units(phones if are_pronounced else tokens, in_characters=not are_pronounced)
    n_lm_words = int(nodes.first_child[1]) - 1
    lm_ids = arrays["lm_ids"]
    if (
        unsound(nodes, n_lm_words)
        or not lexicon.is_sound(len(units.of_tokens), min(len(words), len(lm_ids)))
        or not np.all((lm_ids >= 0) & (lm_ids < n_lm_words))
    ):
        raise DataError("it is damaged")
    language = Language(
        begins_word=units.begins_word,
        lexicon=lexicon,
        lm_ids=lm_ids,
        is_open=bool(is_open),
        ngram=nodes,
        hotwords=make_hotwords({}, units.of_tokens),
    )
    return Fusion(language, words, units)


def _parts(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}


def _keep(path: Path, fusion: Fusion) -> None:
    """Keep a fusion, if there is room, and forget those that were not used for longest."""
    language = fusion.language
    lexicon = {field.name: getattr(language.lexicon, field.name) for field in fields(Lexicon)}
    arrays = {
        **{f"ngram.{name}": array for name, array in language.ngram._asdict().items()},
        **{f"lexicon.{name}": array for name, array in lexicon.items()},
        "lm_ids": language.lm_ids,
        "words": np.frombuffer("\n".join(fusion.words).encode(), np.uint8),
        "flags": np.array([language.is_open, fusion.are_pronounced], np.uint8),
    }
    try:
        write_arrays(path, _FORM, _KINDS, arrays)
        with suppress(FileNotFoundError):  # another process forgets them, too
            kept = path.parent.glob("[!.]*")  # none that is being written
            for old in sorted(kept, key=lambda file: file.stat().st_mtime)[:-N_KEPT]:
                old.unlink()
    except OSError as error:
        warn_once(_LOG, f"{path.parent}: nothing can be kept ({error.strerror})")
