"""Grapheme to phoneme: pronunciations of words that a dictionary lacks, learned from it.

In reading order: `graphones` (which letters stand for which units), `spelling_search` (the most
probable graphones of a word), `pronouncer` (an n-gram model of graphones that pronounces words; the
entrance). Only `asr lexicon` uses it.

References:
    Bisani and Ney, "Joint-sequence models for grapheme-to-phoneme conversion", Speech
    Communication 50, 2008.
"""
