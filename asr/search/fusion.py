"""Fusion: a language model, a lexicon and hotwords, in the tokens of a model.

Words are spelled in characters, whatever pieces of words the tokens are; or, if the lexicon says
how they are pronounced, in tokens that are phones.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asr.errors import ConfigError, DataError
from asr.lexicon.pronunciations import Pronunciation, read_lexicon
from asr.lm.files import read_ngram
from asr.lm.ngram import NO_NODES, Nodes
from asr.lm.vocabulary import SPECIAL, UNKNOWN_ID
from asr.search.hotwords import BOUNDARY, make_hotwords
from asr.search.language import Language
from asr.search.lexicon import make_lexicon
from asr.text.lines import read_lines
from asr.text.normalise import normaliser
from asr.text.tokens import WORD_BOUNDARY

if TYPE_CHECKING:
    from asr.text.normalise import Normaliser

MAX_BOOST = 100.0  # nats

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """What a search knows beside the emission, and what its words are called.

    Attributes:
        language: For the search.
        words: By their place in the language's lexicon.
        are_pronounced: Whether words are told apart by the lexicon, and not by the tokens.
    """

    language: Language
    words: tuple[str, ...]
    are_pronounced: bool

    @property
    def has_ngram(self) -> bool:
        """Whether the search weighs words by a language model."""
        return len(self.language.ngram.words) > 0


def fuse(
    tokens: Sequence[str],
    normaliser_name: str,
    *,
    phones: Sequence[str] | None = None,
    lm: Path | None = None,
    lexicon: Path | None = None,
    hotwords: Mapping[str, float] | None = None,
) -> Fusion:
    """Read what there is, and spell it in a model's tokens.

    Without a lexicon, the words of the language model are known, and others can be said too. With
    one, only its words can be said; the language model takes those that it lacks for unknown.

    Args:
        tokens: Of the model, by id.
        phones: Of its second output, by id, if it has one: a lexicon that has pronunciations is
            spelled in them.
        normaliser_name: The one that the model's training text went through; lexicon and hotwords
            go through it too, pronunciations do not.
        lm: An n-gram model, see `asr lm`.
        lexicon: Words, see `read_lexicon`.
        hotwords: Phrases that score higher, each with its boost in nats, above 0.

    Raises:
        ConfigError: Words need a lexicon with pronunciations, as no token begins a word; or a
            boost is not above 0.
        DataError: A file cannot be used, or nothing in it can be spelled.
    """
    normalise = normaliser(normaliser_name)
    vocabulary, ngram = _read_lm(lm) if lm is not None else ((), NO_NODES)
    entries: list[Pronunciation] = [(word, ()) for word in vocabulary[len(SPECIAL) :]]
    if lexicon is not None:
        entries = read_lexicon(lexicon, normalise)
    are_pronounced = any(units for _, units in entries)
    if are_pronounced and phones is not None:
        tokens = phones
    spelling = _Spelling(tokens, in_characters=not are_pronounced)
    words = tuple(dict.fromkeys(word for word, _ in entries))
    can_be_said = _spelled(entries, words, spelling, lexicon or lm)
    number = {word: i for i, word in enumerate(vocabulary)}
    language = Language(
        begins_word=spelling.begins_word,
        lexicon=make_lexicon(
            [units for units, _ in can_be_said],
            [word for _, word in can_be_said],
            spelling.token_units,
            spelling.begins_word.tolist(),
        ),
        numbers=np.array([number.get(word, UNKNOWN_ID) for word in words], np.int32),
        is_open=lexicon is None,
        ngram=ngram,
        hotwords=make_hotwords(
            _phrases(hotwords or {}, spelling, normalise, entries if are_pronounced else None),
            spelling.token_units,
        ),
    )
    return Fusion(language, words, are_pronounced)


def read_hotwords(path: Path, boost: float) -> dict[str, float]:
    """Read hotwords: a phrase a line; behind a tab its own boost, if it has one.

    Raises:
        DataError: The file cannot be read, or a boost is not a number.
    """
    hotwords = {}
    for number, line in enumerate(read_lines(path), start=1):
        phrase, _, own = line.partition("\t")
        try:
            value = float(own) if own.strip() else boost
        except ValueError:
            raise DataError(f"{path}:{number}: expected a boost, got {own.strip()!r}") from None
        if phrase.strip():
            hotwords[phrase.strip()] = value
    return hotwords


def _spelled(
    entries: Sequence[Pronunciation],
    words: Sequence[str],
    spelling: "_Spelling",
    source: Path | None,
) -> list[tuple[tuple[int, ...], int]]:
    """Spell entries in units, each with the place of its word; leave out what tokens cannot."""
    place = {word: i for i, word in enumerate(words)}
    spelled = [(spelling.units(units or tuple(word)), place[word]) for word, units in entries]
    can_be_said = [(units, word) for units, word in spelled if units]
    if entries and not can_be_said:
        raise DataError(f"{source}: none of its words can be spelled in the model's tokens")
    if n_left_out := len(spelled) - len(can_be_said):
        _LOG.info("%s: %d entries have no spelling in tokens", source, n_left_out)
    return can_be_said


class _Spelling:
    """Units by number, from 1 on, and the units of each token."""

    def __init__(self, tokens: Sequence[str], *, in_characters: bool) -> None:
        self.begins_word = np.array([token.startswith(WORD_BOUNDARY) for token in tokens])
        rests = [token.removeprefix(WORD_BOUNDARY) for token in tokens]
        names: list[tuple[str, ...]] = [(), *(tuple(r) for r in rests[1:])]  # of the blank, none
        if not in_characters:
            names = [(), *((rest,) if rest else () for rest in rests[1:])]
        self._numbers = {
            name: i
            for i, name in enumerate(dict.fromkeys(n for own in names for n in own), BOUNDARY + 1)
        }
        self.token_units = [self.units(own) for own in names]

    def units(self, names: Sequence[str]) -> tuple[int, ...]:
        """Spell in units; empty where a unit is in no token."""
        try:
            return tuple(map(self._numbers.__getitem__, names))
        except KeyError:
            return ()


def _phrases(
    hotwords: Mapping[str, float],
    spelling: _Spelling,
    normalise: "Normaliser",
    lexicon: Sequence[Pronunciation] | None,
) -> dict[tuple[int, ...], float]:
    """Spell hotwords, a boundary around every word; by a lexicon in all ways to say them."""
    phrases: dict[tuple[int, ...], float] = {}
    if hotwords and lexicon is None and not spelling.begins_word.any():
        raise ConfigError("hotwords need tokens that tell where a word begins")
    said = _ways_to_say(hotwords, normalise, lexicon)
    for phrase, boost in hotwords.items():
        if not 0 < boost <= MAX_BOOST:
            raise ConfigError(
                f"the boost of {phrase!r} must be above 0 and at most {MAX_BOOST:g} nats, "
                f"got {boost}"
            )
        words = normalise(phrase).split()
        unsaid = [word for word in words if not said[word]]
        if unsaid:
            raise DataError(
                f"the hotword {phrase!r} cannot be said: the lexicon lacks {unsaid[0]}; give one "
                "that has its pronunciation"
            )
        ways = [[spelling.units(names) for names in said[word]] for word in words]
        if not ways or not all(all(own) for own in ways):
            raise DataError(f"the hotword {phrase!r} cannot be spelled in the model's tokens")
        for way in product(*ways):
            spelled = [BOUNDARY]
            for units in way:
                spelled += [*units, BOUNDARY]
            phrases[tuple(spelled)] = boost
    return phrases


def _ways_to_say(
    phrases: Iterable[str], normalise: "Normaliser", lexicon: Sequence[Pronunciation] | None
) -> dict[str, list[tuple[str, ...]]]:
    """Find the units of each word of some phrases: those of the lexicon, or else its characters."""
    words = {word for phrase in phrases for word in normalise(phrase).split()}
    if lexicon is None:
        return {word: [tuple(word)] for word in words}
    ways: dict[str, list[tuple[str, ...]]] = {word: [] for word in words}
    for word, units in lexicon if words else ():
        if word in ways:
            ways[word].append(units)
    return ways


def _read_lm(path: Path) -> tuple[Sequence[str], Nodes]:
    """Take the words and the arrays of a language model from the part that reads them."""
    model = read_ngram(path)
    return model.vocabulary.words, model.nodes
