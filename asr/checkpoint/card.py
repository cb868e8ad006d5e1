"""The model card: how a model was made, for its README.md."""

from asr.provenance import Provenance
from asr.text.markdown import code, escape


def provenance_rows(made: Provenance) -> str:
    r"""Write the rows of a two-column Markdown table that tell how a model was made.

    A pipe is escaped in code too: in a table, it would end the cell.
    """
    cells = {
        "command": code(made.command).replace("|", r"\|"),
        "commit": made.commit or "unknown",
        "hardware": escape(made.hardware),
        "versions": escape(made.versions),
        "begun": made.time,
    }
    return "\n".join(f"| {name} | {cell} |" for name, cell in cells.items())
