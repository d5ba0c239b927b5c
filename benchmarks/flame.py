"""A flame graph as SVG: one bar a function, as wide as its share of the samples, what it calls below it."""

from __future__ import annotations

from html import escape

WIDTH, ROW, TOP, COLUMNS = 1200, 17, 44, 4
LETTER = 6.6
SMALLEST = 0.004  # of the whole: what is narrower is left out
COLORS = (
    "#d1495b", "#edae49", "#8fbf9f", "#7fb2d6", "#b497cf", "#e8b48c", "#f3e08b", "#9fd3c7", "#f2a7b5", "#c4c4c4",
    "#e4e4e4",
)  # fmt: skip


class Node:
    """A function called from a certain place."""

    def __init__(self) -> None:
        self.times = 0
        self.below: dict[str, Node] = {}

    def depth(self, smallest: float) -> int:
        """Rows that it takes with all that is wide enough."""
        wide = [node.depth(smallest) for node in self.below.values() if node.times >= smallest]
        return 1 + max(wide, default=0)


def tree(stacks):
    """The samples as a tree; a function that calls itself at once, or has no name, is one bar with its caller."""
    root = Node()
    for frames, times in stacks.items():
        node, last = root, None
        root.times += times
        for name in frames:
            if name in (last, "?"):
                continue
            node, last = node.below.setdefault(name, Node()), name
            node.times += times
    return root


def flame_graph(stacks, part_of, parts, title):
    """The picture. `stacks`: tuples of names -> times; `part_of` says to which of `parts`, and colour, one belongs."""
    root = tree(stacks)
    smallest = root.times * SMALLEST
    color_of = dict(zip(parts, COLORS, strict=True))
    bars = []

    def draw(node, left, level, path):
        for name, child in sorted(node.below.items(), key=lambda item: -item[1].times):
            if child.times < smallest:
                continue
            here, share = (*path, name), child.times / root.times
            part = part_of(here)
            bars.append(bar(name, part, share, left, level, color_of[part]))
            draw(child, left, level + 1, here)
            left += WIDTH * share

    draw(root, 0.0, 0, ())
    keys = [key(at, name, color) for at, (name, color) in enumerate(color_of.items())]
    above = TOP + -(-len(keys) // COLUMNS) * ROW
    height = above + (root.depth(smallest) - 1) * ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="monospace" font-size="11"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="white"/><text x="4" y="16" font-size="14">{escape(title)}</text>'
        f'{"".join(keys)}<g transform="translate(0 {above})">{"".join(bars)}</g></svg>\n'
    )


def key(at, name, color):
    """One entry of the legend."""
    x, y = at % COLUMNS * (WIDTH // COLUMNS) + 4, TOP - 8 + at // COLUMNS * ROW
    return f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{color}"/><text x="{x + 16}" y="{y}">{name}</text>'


def bar(name, part, share, left, level, color):
    """One function; what it calls hangs below."""
    width, y = WIDTH * share, level * ROW
    fits = int((width - 4) / LETTER)
    label = name if len(name) <= fits else f"{name[: fits - 1]}…" if fits > 3 else ""
    text = f'<text x="{left + 2:.1f}" y="{y + 12}">{escape(label)}</text>' if label else ""
    words = escape(f"{name}: {100 * share:.1f}% ({part})")
    shape = f'x="{left:.1f}" y="{y}" width="{max(width - 0.4, 0.4):.1f}" height="{ROW - 1}"'
    return f'<g><title>{words}</title><rect {shape} fill="{color}"/>{text}</g>'
