"""Spelling: text, said in phones as an acoustic model hears them, for a speller to learn from."""
