"""What a trained network remembers, measured and drawn.

`gradient` asks how a model's output answers to input farther and farther away, and gives a `curve`;
`cut` counts what it gets wrong when the rest is taken away; `measurement` does both for speech.
`pictures` draws the measurements, `words` explain, and `page` puts all of it into one HTML file
that needs no other.
"""
