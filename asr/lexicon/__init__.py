"""Lexicon: how words are pronounced, those that a dictionary has and those that it lacks.

In reading order: `dictionary` (as it is read), `graphones` (which letter stands for which units,
learned from it), `spelling_search` (those that most probably spell a word), `pronouncer` (how they
follow one another, an n-gram model, and what that makes of a word), `pronounce` (what is called).

References:
    Bisani and Ney, "Joint-sequence models for grapheme-to-phoneme conversion", Speech
    Communication 50, 2008.
"""
