"""Charts: numbers as SVG pictures, without a library.

In reading order: `axis` (a scale and its ticks), `lines` (curves over two axes), `style` (colours
and fonts), `sheet` (charts in one SVG file that needs no page around it).
"""
