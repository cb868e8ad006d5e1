"""Frame: where a chart's plot lies in its picture, and the grid and labels around it."""

from dataclasses import dataclass
from html import escape

from asr.chart.axis import Axis
from asr.text.markdown import visible


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a picture and the edges of the plot in it, in units of the picture."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    def across(self, value: float, x: Axis) -> float:
        """Place a value of the horizontal axis."""
        return self.left + x.share(value) * (self.right - self.left)

    def down(self, value: float, y: Axis) -> float:
        """Place a value of the vertical axis."""
        return self.bottom - y.share(value) * (self.bottom - self.top)

    def opening(self, title: str) -> str:
        """Open the `<svg>` element; the title describes it to people who cannot see it."""
        label = escape(visible(title), quote=True)
        return f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{label}">'

    def grid(self, x: Axis, y: Axis) -> list[str]:
        """Draw lines at the ticks, with the numbers and titles of both axes."""
        parts = []
        for value, name in x.ticks:
            at = self.across(value, x)
            parts.append(f'<path class="grid" d="M{at:.1f} {self.top}V{self.bottom}"/>')
            parts.append(text(at, self.bottom + 18, name, "middle"))
        for value, name in y.ticks:
            at = self.down(value, y)
            parts.append(f'<path class="grid" d="M{self.left} {at:.1f}H{self.right}"/>')
            parts.append(text(self.left - 8, at + 4, name, "end"))
        centre = (self.left + self.right) / 2
        parts.append(text(centre, self.height - 8, x.title, "middle", "title"))
        turned = f'transform="translate(16 {(self.top + self.bottom) / 2:.0f}) rotate(-90)"'
        title = escape(visible(y.title))
        parts.append(f'<text class="title" text-anchor="middle" {turned}>{title}</text>')
        return parts


def text(x: float, y: float, words: str, anchor: str, kind: str = "label") -> str:
    """Write words, of which none is taken for markup."""
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {where}>{escape(visible(words))}</text>'


def hint(words: str) -> str:
    """Write what is shown while the pointer rests on the element around it."""
    return f"<title>{escape(visible(words))}</title>"
