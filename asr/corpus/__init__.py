"""From a corpus on disk to batches of utterances.

Read in this order:

- `utterance`: a stretch of speech with its id and, where known, its reference;
- `manifest`: a list of utterances as a file of JSON lines;
- `listing`: folders and lists in any form as utterances, by `librispeech` (a folder in its layout)
  or `foreign_list` (JSON lines and tables of other programs);
- `selection`: those of a list of ids;
- `measuring`: their durations, and which recordings cannot be read;
- `alignable`: utterances with too few frames for CTC;
- `training_set`: those that are fit to learn from, and those held out;
- `download`: LibriSpeech's archives from OpenSLR, checked and resumed;
- `tiny`: a synthetic corpus in the same layout, to test the whole chain in a minute;
- `batching`: which utterances form a batch, epoch by epoch;
- `loader`: the waveform of an utterance, and reading ahead in threads;
- `groups`: recordings read ahead, as many together as are computed at once;
- `damage`: recordings that cannot be read, a few of which training does without;
- `feature_cache`: features, kept from one epoch to the next.
"""
