"""Agreement: a language model, a lexicon and a model's tokens must spell words alike.

If not, as with a lower-case language model beside an upper-case lexicon, nothing would fail, and
nearly every word would be wrong.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError, shortened
from asr.lm.ngram import NGram
from asr.lm.vocabulary import SPECIAL, UNKNOWN_ID
from asr.text.normalise import Normaliser, words_of

LEAST_SHARE = 0.1  # of the words of a file
MOST_UNLIKE = 0.05  # of a language model's common words: with more, it is in another spelling
N_COMMON = 1000  # most probable words of a language model, which are checked

_LOG = logging.getLogger(__name__)


def respelled(source: Path, ngram: NGram, normalise: Normaliser) -> NGram:
    """Spell the words of a language model as a model's texts are spelled.

    It stays as it is if words would become alike. A word of which a letter or a digit would vanish
    (`3D`), or that would be divided, stays as it is, too.

    Raises:
        DataError: Words would become alike, and many of the most common ones are of another
            spelling, as in a text that begins sentences with capital letters.
    """

    def respell(text: str) -> str:
        is_spelled = normalise(text) == text  # nearly always, and quicker to tell
        return text if is_spelled else " ".join(words_of(text, normalise))

    spelled = NGram(ngram.vocabulary.respelled(respell), ngram.nodes)
    words = [spelled.vocabulary.words[i] for i in _common_ids(spelled)]
    unlike = [word for word in words if (new := respell(word)) != word and len(new.split()) == 1]
    if len(unlike) > MOST_UNLIKE * len(words):
        first, second = _alike(spelled.vocabulary.words, respell)
        raise DataError(
            f"{source}: expected words that are spelled as the model spells them, got "
            f"{len(unlike):,} of {len(words):,} that are not, such as {unlike[0]}; they cannot be "
            f"respelled, since {first} and {second} would both be {respell(first)}: spell the text "
            "as the model does, and build the language model again"
        )
    return spelled


def check_lexicon(lm: Path, ngram: NGram, lexicon: Path, lm_ids: NDArray[np.int32]) -> None:
    """Refuse a language model and a lexicon that have hardly a word in common.

    Either can be much the smaller one: ten commands beside all of English, or a dictionary beside a
    model of ten commands. What a dictionary lacks of these cannot be recognised, and is logged.

    Args:
        lm: The language model's file.
        ngram: The language model.
        lexicon: The lexicon's file.
        lm_ids: (W,) the language model's id of each word of the lexicon.

    Raises:
        DataError: They have too few words in common.
    """
    common = _common_ids(ngram)
    words = [ngram.vocabulary.words[i] for i in common]
    is_listed = np.isin(common, lm_ids)
    if np.mean(lm_ids != UNKNOWN_ID) < LEAST_SHARE:
        remedy = "spell both alike, or leave out one of them"
        _refuse_misfit(lm, words, is_listed, f"are in {lexicon}", remedy)
    lacking = [words[i] for i in np.flatnonzero(~is_listed)]
    if lacking and len(ngram.vocabulary) <= len(lm_ids):
        _LOG.info(
            "%s: %d of its %d most common words are not in %s and cannot be recognised: %s",
            *(lm, len(lacking), len(words), lexicon, shortened(lacking)),
        )


def check_spelled(lm: Path, ngram: NGram, spelled: NDArray[np.int32]) -> None:
    """Refuse a language model if the model's tokens can spell hardly any of its common words.

    Args:
        lm: The language model's file.
        ngram: The language model.
        spelled: Its words that tokens can spell, numbered from the first that is not special.

    Raises:
        DataError: Too few of the common words are among them.
    """
    is_spelled = np.zeros(len(ngram.vocabulary) - len(SPECIAL), np.bool_)
    is_spelled[spelled] = True
    if n_left_out := np.count_nonzero(~is_spelled):
        _LOG.info("%s: %d words have no spelling in tokens", lm, n_left_out)
    common = _common_ids(ngram)
    _refuse_misfit(
        lm,
        [ngram.vocabulary.words[i] for i in common],
        is_spelled[common - len(SPECIAL)],
        "can be spelled in the model's tokens",
        "spell it as the model's training text was, or take another file",
    )


def _common_ids(ngram: NGram) -> NDArray[np.intp]:
    """Find the ids of a language model's most probable words, best first."""
    unigrams = ngram.nodes.log_probs[1 + len(SPECIAL) : 1 + len(ngram.vocabulary)]
    return len(SPECIAL) + np.argsort(-unigrams, kind="stable")[:N_COMMON]


def _alike(words: Sequence[str], respell: Normaliser) -> tuple[str, str]:
    """Find two words that would become alike."""
    first_of: dict[str, str] = {}
    for word in words[len(SPECIAL) :]:
        spelled = respell(word)
        if " " in spelled or not spelled:
            spelled = word
        if first_of.setdefault(spelled, word) != word:
            return first_of[spelled], word
    raise AssertionError("all words stay apart, so that they were respelled")


def _refuse_misfit(
    source: Path, words: Sequence[str], fits: NDArray[np.bool_], condition: str, remedy: str
) -> None:
    """Refuse a file if fewer than `LEAST_SHARE` of its words fit.

    Args:
        source: The file.
        words: Those checked, the best examples first.
        fits: (n,) whether each fits.
        condition: Completes "expected words that".
        remedy: What the user can do.

    Raises:
        DataError: Too few words fit.
    """
    if len(words) and fits.mean() < LEAST_SHARE:
        missing = [words[i] for i in np.flatnonzero(~fits)[:3]]
        raise DataError(
            f"{source}: expected words that {condition}, got {fits.sum():,} of {len(words):,} "
            f"({100 * fits.mean():.1f} %), without {', '.join(missing)}: {remedy}"
        )
