"""From waveforms to what the model sees, in the order in which it happens.

fbank.py         log-mel filter bank energies, by Kaldi's definition
mfcc.py          cepstra of them
deltas.py        their slopes over time
cmvn.py          normalisation: over the corpus, over a speaker, over an utterance
front_end.py     all of the above as one module, chosen by one configuration
vocal_tract.py   voices of longer and shorter throats, for training only
spec_augment.py  masks in time and frequency, for training only
"""
