"""From a recording to a waveform, and back.

Read in this order:

- `read`: a recording's duration, or the whole of it as mono at the requested sample rate;
- `recording`: open a recording, or say why it cannot be used; decode it block by block;
- `source`: paths, standard input, URLs and folders; `microphone`: what is said now;
- `mono`: many channels become one, and samples that are no sound are refused;
- `decoder`, `media`, `pcm`: libsndfile, FFmpeg and raw samples;
- `container`: where in a file the samples lie, what is missing and what is odd there, by `layout`
  in terms of spans: `chunks` (WAV, AIFF), `ogg`, `flac`, `mpeg` (MP3), `boxes` (MP4, Matroska);
- `quiet`: C libraries do not write to the terminal; `interrupts`: nor lose a Ctrl-C;
- `write`: a waveform to a file.
"""
