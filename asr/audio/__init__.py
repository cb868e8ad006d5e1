"""From an audio file to a waveform.

Read in this order:

- `read`: probe a file's header, or decode it to mono at the rate that is wanted;
- `recording`: open a file, or say why it cannot be used;
- `truncation`: tell from a file's bytes that its end is missing;
- `codec`: send a waveform through a lossy codec, for the same end;
- `speed`: play a waveform faster or slower, to make more training data of it;
- `reverberation`: play a waveform in a room, again to make more of it;
- `noise`: add noise to it;
- `write`: a waveform to a file.
"""
