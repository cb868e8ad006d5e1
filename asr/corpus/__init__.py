"""Corpora: what was said in which stretch of which recording.

Read in this order:

- `utterance`: a stretch of speech with its identity and, where known, its reference;
- `manifest`: a list of utterances as a file of JSON lines;
- `problem`: what stands against using an utterance;
- `librispeech`: a folder in LibriSpeech's layout, checked, as utterances;
- `alignable`: the utterances that CTC cannot align, because they have too few frames;
- `download`: LibriSpeech's archives from OpenSLR, checked and resumed;
- `tiny`: a synthetic corpus in the same layout, for a proof of the whole chain in a minute;
- `batching`: which utterances go through the model together, epoch by epoch;
- `loader`: utterances as waveforms, ahead of their use;
- `feature_memory`: their features, kept from one epoch to the next;
- `statistics`: the mean and spread of features over a corpus or a speaker, for CMVN.
"""
