"""Draw the results as SVG files that suit a light and a dark page.

The same results give the same bytes, so that a file only changes when its numbers do.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import pygal
from pygal.style import Style

SVG = "{http://www.w3.org/2000/svg}"
WIDTH, HEIGHT = 860, 420
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"

# Colours that differ in lightness too, and stand out on white and on black.
STYLE = Style(
    background="#ffffff",
    plot_background="#ffffff",
    foreground="#57606a",
    foreground_strong="#1f2328",
    foreground_subtle="#d0d7de",
    colors=("#2563eb", "#f59e0b", "#dc2626", "#059669", "#9333ea"),
    font_family=FONT,
    title_font_size=18,
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
    value_font_size=11,
    value_label_font_size=11,
    value_colors=("#57606a",) * 5,
    guide_stroke_color="#d0d7de",
    major_guide_stroke_color="#d0d7de",
    opacity="1",
    transition="0",
)
DARK = """inline:
@media (prefers-color-scheme: dark) {
  svg { background-color: #0d1117 }
  .graph > .background, .plot > .background { fill: #0d1117 }
  .graph, .axis text, .axis.y text, .legends .legend text { fill: #9198a1 }
  .title { fill: #f0f6fc }
  .axis .guides, .axis .line, .axis .guide.line, .axis .major.guide.line { stroke: #3d444d }
  .text-overlay text { fill: #9198a1 !important }
}
"""
LINE = {"dots_size": 4, "stroke_style": {"width": 2}}

Series = Mapping[str, Sequence[float | None]]
"""The values of each series, one for each label."""


def bars(title: str, labels: Sequence[str], series: Series, unit: str) -> str:
    """Draw groups of bars on a logarithmic scale, with their numbers."""
    options = _options(title, labels, unit) | _logarithmic(series)
    chart = pygal.Bar(**options, print_values=True, print_values_position="top")
    return _drawn(chart, series)


def lines(title: str, labels: Sequence[str], series: Series, unit: str) -> str:
    """Draw lines on a logarithmic scale."""
    options = _options(title, labels, unit) | _logarithmic(series)
    return _drawn(pygal.Line(**options, **LINE), series)


def linear(title: str, labels: Sequence[str], series: Series, unit: str) -> str:
    """Draw lines on a scale that begins at 0."""
    options = _options(title, labels, unit)
    return _drawn(pygal.Line(**options, **LINE, include_x_axis=True), series)


def _options(title: str, labels: Sequence[str], unit: str) -> dict[str, Any]:
    return {
        "title": f"{title}, {unit}",
        "x_labels": labels,
        "truncate_label": -1,
        "width": WIDTH,
        "height": HEIGHT,
        "legend_at_bottom": True,
        "value_formatter": lambda number: f"{number:,.3g}" if number < 1000 else f"{number:,.0f}",
        "style": STYLE,
        "css": ("file://style.css", "file://graph.css", DARK),
        "js": (),
        "no_prefix": True,
    }


def _logarithmic(series: Series) -> dict[str, Any]:
    """Return the options of a scale with the powers of ten that the values lie between."""
    exponents = [math.log10(each) for values in series.values() for each in values if each]
    powers = range(math.floor(min(exponents)), math.ceil(max(exponents)) + 1)
    labels = [10.0**power for power in powers]
    return {
        "logarithmic": True,
        "range": (labels[0], labels[-1]),
        "y_labels": labels,
        "zero": labels[0],
    }


def _drawn(chart: Any, series: Series) -> str:
    for name, values in series.items():
        chart.add(name, list(values))
    # The comments name the day, and the script the process.
    root = ElementTree.fromstring(chart.render(is_unicode=True))
    root.attrib.pop("id", None)
    for parent in list(root.iter()):
        for script in parent.findall(f"{SVG}script"):
            parent.remove(script)
    ElementTree.register_namespace("", SVG.strip("{}"))
    return ElementTree.tostring(root, encoding="unicode") + "\n"
