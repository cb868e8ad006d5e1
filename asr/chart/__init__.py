"""Charts: numbers become SVG pictures, without a library.

`axis` is a scale with names on it, `lines` draws curves over two of them, `style` gives colours and
fonts, and `sheet` puts charts into one file that needs no page around it.
"""
