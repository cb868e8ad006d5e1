"""What a trained network remembers, measured and drawn.

In reading order: `sensitivity` is the gradient of an output frame by its input, `curve` is its norm
by distance, and `gradient` measures that for a whole network. `context` restricts each output frame
to a window of the input, and counts the errors that this causes. `measurement` does both for a
model and speech. `pictures` draws the results, `prose` puts them into words, and `page` fills both
into `page.html`, which explains them.
"""
