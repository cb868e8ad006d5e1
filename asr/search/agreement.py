"""Agreement: a language model, a lexicon and a model's tokens must spell words alike.

If not, as with a lower-case language model beside an upper-case lexicon, nothing would fail, and
nearly every word would be wrong.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.ngram import NGram
from asr.lm.vocabulary import SPECIAL, UNKNOWN_ID

LEAST_SHARE = 0.1  # of the words of a file
N_COMMON = 1000  # words of a language model that are looked at


def common_ids(ngram: NGram) -> NDArray[np.intp]:
    """Find the ids of a language model's most probable words, best first."""
    unigrams = ngram.nodes.log_probs[1 + len(SPECIAL) : 1 + len(ngram.vocabulary)]
    return len(SPECIAL) + np.argsort(-unigrams, kind="stable")[:N_COMMON]


def refuse_misfit(
    source: Path, words: Sequence[str], fits: NDArray[np.bool_], condition: str, remedy: str
) -> None:
    """Refuse a file of whose words hardly any fits.

    Args:
        source: The file.
        words: Those looked at, the best examples first.
        fits: (n,) which of them do.
        condition: What those that fit are, after "expected words that".
        remedy: What to do.

    Raises:
        DataError: Fewer than `LEAST_SHARE` do.
    """
    if len(words) and fits.mean() < LEAST_SHARE:
        missing = [words[i] for i in np.flatnonzero(~fits)[:3]]
        raise DataError(
            f"{source}: expected words that {condition}, got {fits.sum():,} of {len(words):,} "
            f"({100 * fits.mean():.1f} %), and not {', '.join(missing)}: {remedy}"
        )


def check_lexicon(lm: Path, ngram: NGram, lexicon: Path, lm_ids: NDArray[np.int32]) -> None:
    """Refuse a language model that has hardly any word of a lexicon, nor the lexicon of its own.

    Either can be much the smaller one: ten commands beside all of English, or a dictionary beside a
    model of ten commands.

    Args:
        lm: The language model's file.
        ngram: The language model.
        lexicon: The lexicon's file.
        lm_ids: (W,) the language model's id of each word of the lexicon.

    Raises:
        DataError: They have too few words in common.
    """
    if np.mean(lm_ids != UNKNOWN_ID) < LEAST_SHARE:
        common = common_ids(ngram)
        refuse_misfit(
            lm,
            [ngram.vocabulary.words[i] for i in common],
            np.isin(common, lm_ids),
            f"are in {lexicon}",
            "spell both alike, or leave out one of them",
        )
