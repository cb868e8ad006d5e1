"""What a trained network remembers, measured and drawn.

`measurement` asks a model how its output answers to speech farther and farther away, and what it
makes of speech that is cut short; `curve` is such an answer in numbers, `chart` draws one as SVG,
`words` explains, and `page` puts all of it on a page that needs nothing else.
"""
