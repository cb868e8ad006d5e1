"""Spelling: text, said in phones as an acoustic model hears them, for a speller to learn from.

heard_phones     pieces of emissions, one a phone, put together anew
listening        an acoustic model hears its training speech again
phone_features   what it hears, in the form that a speller reads
pronounceable    text in numbers, each word with its phones
pronounced_text  text in batches, as it would be heard
"""
