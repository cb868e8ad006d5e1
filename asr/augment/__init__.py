"""All that training does to speech so that a model copes with more than it was trained on.

Read in this order:

- `config`: how much of each augmentation there is, the table `[augment]`;
- `rendition`: which ones an utterance gets in an epoch, drawn at random, and their application;
- `joining`: let another utterance follow;
- `speed`: play a waveform faster or slower;
- `reverberation`: play it in a room;
- `silence`: add pauses before and after;
- `noise`: add noise, or other voices;
- `level`: amplify it until it clips, or attenuate it;
- `telephone`: send it over a telephone line;
- `codec`: encode it as MP3 and decode it again;
- `no_speech`: sounds to put in its place, with an empty text;
- `surroundings`: the noises and rooms that all these draw from, made once;
- `spec_augment`: mask stretches of time and bands of frequency in the features.

Tempo is the frame shift of the features: see `FrontEnd.raw`.

Waveforms are (N,) float32 in numpy, N >= 1, sample rates in hertz; a result may exceed [-1, 1]. A
seed, at least 0, is the only source of randomness. To add an augmentation: a file with a function
from waveform to waveform, its keys in `config`, its random draw and its place among the others in
`rendition`.
"""
