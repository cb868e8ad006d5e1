"""Style: the colours and fonts of charts, for the page or file that contains them.

The colours of lines are those of Okabe and Ito, "Color Universal Design", 2008, which colour-blind
people can tell apart.
"""


def _style(ink: str, faint: str, paper: str) -> str:
    """Write the CSS for charts with these colours of text, grid and background."""
    return f"""\
svg text {{ font: 13px system-ui, sans-serif; fill: {ink} }}
svg text.heading {{ font-size: 18px }}
svg text.title {{ font-size: 14px }}
svg text.name {{ font-size: 12px }}
.grid {{ stroke: {faint} }} .line {{ fill: none; stroke-width: 2.2; stroke-linejoin: round }}
.c0 {{ stroke: #d55e00 }} .c1 {{ stroke: #0072b2 }} .c2 {{ stroke: #009e73 }}
.c3 {{ stroke: #cc79a7 }} .c4 {{ stroke: #e69f00 }} .c5 {{ stroke: #888 }}
circle {{ fill: {paper}; stroke-width: 2.2 }}
.d1 {{ stroke-dasharray: 8 5 }} .d2 {{ stroke-dasharray: 2 4 }}
.d3 {{ stroke-dasharray: 9 4 2 4 }}
.expected {{ stroke: {ink}; stroke-width: 1; stroke-dasharray: 4 4; opacity: .55 }}
.target {{ fill: transparent }} .stretch {{ stroke: #0072b2; stroke-width: 2.2 }}
.whisker {{ stroke: #0072b2; stroke-width: 1.2; opacity: .7 }}
.dot {{ fill: #0072b2; stroke: none }}
.cells {{ stroke-width: .5 }} .full {{ fill: #0072b2 }}
"""


PAGE_STYLE = _style("var(--ink)", "var(--faint)", "var(--paper)")  # in the colours of an HTML page
FILE_STYLE = _style("#222", "#e4e4e4", "#fff")  # of an SVG file on its own
