"""Charts: numbers as SVG pictures, without a library.

In reading order: `axis` (a scale and its ticks), `frame` (the plot in its picture), `lines` (curves
over two axes), `estimates` (values with intervals), `matrix` (counts of pairs), `style` (colours
and fonts), `sheet` (charts in one SVG file that needs no page around it).
"""
