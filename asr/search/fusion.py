"""Fusion: a language model, a lexicon and hotwords, in the tokens of a model.

Words are spelled in characters, even if tokens are pieces of words; or, if the lexicon has
pronunciations, in phones, which then are the tokens.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, product
from pathlib import Path

import numpy as np

from asr.errors import ConfigError, DataError
from asr.lexicon.fields import number_characters, number_fields
from asr.lexicon.phone_set import phone_of_each
from asr.lexicon.read import read_columns, refuse_losses
from asr.lm.files import read_ngram
from asr.lm.ngram import NO_NODES, NGram
from asr.lm.vocabulary import SPECIAL, Vocabulary
from asr.search.agreement import check_lexicon, check_spelled, respelled
from asr.search.hotwords import BOUNDARY, make_hotwords
from asr.search.language import Language
from asr.search.lexicon import Spellings, make_lexicon
from asr.text.lines import read_text
from asr.text.normalise import Normaliser, normaliser, words_of
from asr.text.tokens import WORD_BOUNDARY

MAX_BOOST = 100.0  # nats

_Entries = tuple[list[str], list[str]]  # words; and the units of each, or nothing


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """A language, and the names of its words.

    Attributes:
        language: For the search.
        words: By their number in the language's lexicon.
        units: What they are spelled in.
    """

    language: Language
    words: tuple[str, ...]
    units: "Units"

    @property
    def are_pronounced(self) -> bool:
        """Whether words are spelled in phones: the tokens alone do not tell where one ends."""
        return not self.units.in_characters

    def with_hotwords(
        self, hotwords: Mapping[str, float] | None, normalise: Normaliser
    ) -> "Fusion":
        """Let phrases score higher, each by its boost in nats, in all their pronunciations.

        Raises:
            ConfigError: No token begins a word, and there is no lexicon; or a boost is not above 0.
            DataError: A phrase cannot be spelled, or the lexicon lacks a word of it.
        """
        if not hotwords:
            return self
        phrases = _phrases(hotwords, self, normalise)
        automaton = make_hotwords(phrases, self.units.of_tokens)
        return replace(self, language=replace(self.language, hotwords=automaton))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Pause the garbage collector, which would visit millions of objects and find no cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_without_collection()
def fuse(
    tokens: Sequence[str],
    normaliser_name: str,
    *,
    phones: Sequence[str] | None = None,
    lm: Path | None = None,
    lexicon: Path | None = None,
    hotwords: Mapping[str, float] | None = None,
) -> Fusion:
    """Read a language model, a lexicon and hotwords, and spell them in a model's tokens.

    Without a lexicon, words are those of the language model, and any other can be recognised too.
    With one, only its words can be; those that the language model lacks count as unknown.

    Args:
        tokens: Of the model's text head, by id.
        normaliser_name: That of the model's training text. Words of all files go through it (those
            of the language model if that keeps them apart), pronunciations do not.
        phones: Tokens of the phone head, if there is one: they spell a lexicon with pronunciations,
            whose stress marks are dropped if they have none.
        lm: An n-gram model, see `asr lm`.
        lexicon: Words, see `read_lexicon`.
        hotwords: Phrases that score higher, each with its boost in nats, above 0.

    Raises:
        ConfigError: Words need a lexicon with pronunciations, as no token begins a word; or a
            boost is not above 0.
        DataError: A file cannot be used, or its words do not agree with the model or the others.
    """
    normalise = normaliser(normaliser_name)
    with ThreadPoolExecutor(max_workers=1) as pool:  # on two cores, both files at the same time
        reading = pool.submit(_read_ngram, lm, normalise)
        if lexicon is None:
            entries: _Entries = (list(reading.result().vocabulary.words[len(SPECIAL) :]), [])
        else:
            entries = read_columns(lexicon, normalise)
        are_pronounced = any(entries[1])
        units = Units(
            phones or tokens if are_pronounced else tokens, in_characters=not are_pronounced
        )
        words = tuple(dict.fromkeys(entries[0]))
        spellings = _spellings(entries, words, units, lexicon)
        del entries  # tens of megabytes, before more are needed
        automaton = make_lexicon(spellings, units.of_tokens, units.begins_word.tolist())
        ngram = reading.result()
    lm_ids = np.array(ngram.vocabulary.ids(words), np.int32)
    if lm and lexicon:
        check_lexicon(lm, ngram, lexicon, lm_ids)
    elif lm:
        check_spelled(lm, ngram, spellings.words)
    language = Language(
        begins_word=units.begins_word,
        lexicon=automaton,
        lm_ids=lm_ids,
        is_open=lexicon is None,
        ngram=ngram.nodes,
        hotwords=make_hotwords({}, units.of_tokens),
    )
    return Fusion(language, words, units).with_hotwords(hotwords, normalise)


def _read_ngram(lm: Path | None, normalise: Normaliser) -> NGram:
    """Read a language model in the spelling of a model's texts; an empty one if there is none."""
    if lm is None:
        return NGram(Vocabulary(SPECIAL), NO_NODES)
    return respelled(lm, read_ngram(lm), normalise)


def read_hotwords(path: Path, boost: float) -> dict[str, float]:
    """Read hotwords: a phrase a line, followed by a tab and its own boost if it has one.

    Raises:
        DataError: The file cannot be read, or a boost is not a number.
    """
    hotwords = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        phrase, _, own = line.partition("\t")
        try:
            value = float(own) if own.strip() else boost
        except ValueError:
            raise DataError(f"{path}:{number}: expected a boost, got {own.strip()!r}") from None
        if phrase.strip():
            hotwords[phrase.strip()] = value
    return hotwords


class Units:
    """What words are spelled in: units by number, from 1 on, and the units of each token."""

    def __init__(self, tokens: Sequence[str], *, in_characters: bool) -> None:
        self.begins_word = np.array([token.startswith(WORD_BOUNDARY) for token in tokens])
        rests = [token.removeprefix(WORD_BOUNDARY) for token in tokens]
        names: list[tuple[str, ...]] = [(), *(tuple(r) for r in rests[1:])]  # none of the blank
        if not in_characters:
            names = [(), *((rest,) if rest else () for rest in rests[1:])]
        distinct = dict.fromkeys(chain.from_iterable(names))
        self.in_characters = in_characters
        self._numbers = {name: i for i, name in enumerate(distinct, BOUNDARY + 1)}
        self.of_tokens = [self.spell(own) for own in names]

    def __str__(self) -> str:
        """List the units."""
        return " ".join(self._numbers)

    def numbers_of(self, names: Iterable[str]) -> dict[str, int]:
        """Number units as a lexicon writes them; -1 for those that no token has."""
        if self.in_characters:
            return {name: self._numbers.get(name, -1) for name in names}
        phone_of = phone_of_each(names, self._numbers)
        return {name: self._numbers.get(phone, -1) for name, phone in phone_of.items()}

    def spell(self, names: Sequence[str]) -> tuple[int, ...]:
        """Number the units of a word; empty if no token has one of them."""
        numbers = self.numbers_of(names)
        return () if -1 in numbers.values() else tuple(numbers[name] for name in names)


def _spellings(
    entries: _Entries, words: Sequence[str], units: Units, lexicon: Path | None
) -> Spellings:
    """Spell entries, read from a file, in units; leave out those that tokens cannot spell.

    `words` are theirs, each once. A word keeps the pronunciations that they can: a model has no
    phones that its texts never need.
    """
    number = dict(zip(words, range(len(words)), strict=True))
    word = np.array([*map(number.__getitem__, entries[0])], np.int32)  # of each entry
    if any(entries[1]):
        numbers, lengths, names = number_fields(entries[1])
    else:
        numbers, lengths, names = number_characters(entries[0])
    unit_of = units.numbers_of(names)
    ids = np.array([unit_of[name] for name in names], np.int32)[numbers]
    entry = np.repeat(np.arange(len(lengths)), lengths)
    can_be_spelled = lengths > 0
    can_be_spelled[entry[ids < 0]] = False
    if lexicon is not None:
        is_left = np.isin(word, word[can_be_spelled], invert=True)  # words with no other spelling
        left_out = dict.fromkeys(entries[0][i] for i in np.flatnonzero(is_left))
        why = "have no spelling in the model's tokens"
        refuse_losses(lexicon, [*left_out], len(words), f"{why} ({units})")
    return Spellings(ids[can_be_spelled[entry]], lengths[can_be_spelled], word[can_be_spelled])


def _phrases(
    hotwords: Mapping[str, float], fusion: Fusion, normalise: Normaliser
) -> dict[tuple[int, ...], float]:
    """Spell hotwords in units, with boundaries around every word, in all pronunciations."""
    phrases: dict[tuple[int, ...], float] = {}
    units = fusion.units
    if units.in_characters and not units.begins_word.any():
        raise ConfigError("hotwords need tokens that mark where a word begins")
    words_of_each = {phrase: words_of(phrase, normalise) for phrase in hotwords}
    spellings = _spellings_of({*chain.from_iterable(words_of_each.values())}, fusion)
    for phrase, boost in hotwords.items():
        if not 0 < boost <= MAX_BOOST:
            raise ConfigError(
                f"the boost of {phrase!r} must be above 0 and at most {MAX_BOOST:g} nats, "
                f"got {boost}"
            )
        words = words_of_each[phrase]
        if not words:
            raise DataError(
                f"the hotword {phrase!r} cannot be recognised: the model spells no text with its "
                "letters and digits; spell it out in words, and put a tab before a boost"
            )
        for word in words:
            if word not in spellings:
                raise DataError(
                    f"the hotword {phrase!r} cannot be recognised: the lexicon lacks {word}; "
                    "add its pronunciation"
                )
        if not all(spellings[word] for word in words):
            raise DataError(f"the hotword {phrase!r} cannot be spelled in the model's tokens")
        for variant in product(*(spellings[word] for word in words)):
            phrases[(BOUNDARY, *chain.from_iterable((*own, BOUNDARY) for own in variant))] = boost
    return phrases


def _spellings_of(words: set[str], fusion: Fusion) -> dict[str, list[tuple[int, ...]]]:
    """List the spellings of some words in units: by the lexicon, or else their characters."""
    units, lexicon = fusion.units, fusion.language.lexicon
    if units.in_characters:
        return {word: list(filter(None, [units.spell(tuple(word))])) for word in words}
    return {
        word: [
            tuple(units.of_tokens[token][0] for token in spelling)
            for spelling in lexicon.spellings_of(number)
        ]
        for number, word in enumerate(fusion.words)
        if word in words
    }
