"""From an audio file to a waveform, and back.

Read in this order:

- `read`: a file's duration, or the whole of it as mono at the requested sample rate;
- `recording`: open a file, or say why it cannot be used;
- `truncation`: detect from a file's bytes that its end is missing;
- `write`: a waveform to a file.
"""
