"""Lexicon: how words are pronounced.

In reading order: `read` (a file as words and their units), `fields` (its text, taken apart),
`phone_set` (those units in a model's phones), `phone_spelling` (text in phones, for training).
`g2p` pronounces the words that a dictionary lacks.
"""
