"""A network as a picture: a box for each quantity, an arrow for each step, drawn from its trace."""

from typing import NamedTuple

BOX = (110, 34)  # width and height of a box
MAIN, SIDE = 275, 75  # where the middle of the two columns is: values, and what they need besides
ROW, TOP = 92, 24  # from one row to the next, at least, and the middle of the first
WIDTH, WIDE = 360, 440  # of the picture; wide where an arrow goes around the boxes
BESIDE = BOX[1] + 8  # from one box to the next below it, where a value needs several


class Box(NamedTuple):
    """A quantity: its name, the middle of its box, and whether it is a `value` or a `parameter`."""

    name: str
    x: float
    y: float
    kind: str


class Arrow(NamedTuple):
    """A step: its path, and the shape of what flows along it with the place for it."""

    path: str
    shape: str
    x: float
    y: float


class Diagram(NamedTuple):
    """A picture of a network, and a sentence that says the same."""

    boxes: list[Box]
    arrows: list[Arrow]
    width: int
    height: float
    sentence: str


def diagram(inputs, sources, shapes):
    """Lay a network out: values from top to bottom, and to their left what they need besides.

    `inputs` are the names of the data, `sources` has for each value, in the order of computing,
    the names of what it was computed from, `shapes` the shape of each name as text.
    """
    column = [*inputs, *sources]
    beside = beside_each(column, sources)
    boxes: dict[str, Box] = {}
    y = TOP
    for above, name in zip([None, *column], column, strict=False):
        if above is not None:
            crowd = len(beside.get(above, [])) + len(beside.get(name, []))
            y += max(ROW, crowd * BESIDE // 2 + 8)
        boxes[name] = Box(name, MAIN, y, "value")
    for value, names in beside.items():
        for i, name in enumerate(names):
            middle = boxes[value].y + (i - (len(names) - 1) / 2) * BESIDE
            boxes[name] = Box(name, SIDE, middle, "parameter")
    arrows = [
        arrow(boxes[name], boxes[value], shapes[name], column)
        for value, names in sources.items()
        for name in names
    ]
    steps = [
        f"{' and '.join(names)} give{'s' * (len(names) == 1)} {value}"
        for value, names in sources.items()
    ]
    width = WIDE if any(arrow.x > WIDTH for arrow in arrows) else WIDTH
    return Diagram(list(boxes.values()), arrows, width, y + TOP + 20, f"{'; '.join(steps)}.")


def beside_each(column, sources):
    """Return for each value what stands to its left: what no value before it stands beside."""
    placed, found = set(column), {}
    for value, names in sources.items():
        found[value] = [name for name in names if name not in placed]
        placed.update(names)
    return found


def arrow(start, end, shape, column):
    """Draw one arrow: down, from the side, or around the boxes between."""
    width, height = BOX
    if start.x == SIDE:
        return from_the_side(start, end, shape)
    top, tip = start.y + height / 2, end.y - height / 2 - 6
    if column.index(end.name) == column.index(start.name) + 1:
        return Arrow(f"M{start.x} {top:g}V{tip:g}", shape, start.x + 38, (top + tip) / 2 + 4)
    right = start.x + width / 2
    bend = f"C{right + 60:g} {start.y:g} {right + 60:g} {end.y:g} {right + 6:g} {end.y:g}"
    return Arrow(f"M{right:g} {start.y:g}{bend}", shape, right + 75, (start.y + end.y) / 2)


def from_the_side(start, end, shape):
    """Draw an arrow from a box beside the column: across, or down between both to a later value."""
    x, tip = start.x + BOX[0] / 2, end.x - BOX[0] / 2 - 6
    if end.y - start.y <= ROW:
        path = f"M{x:g} {start.y:g}L{tip:g} {(start.y + 2 * end.y) / 3:g}"
        return Arrow(path, shape, (x + tip) / 2, (2 * start.y + end.y) / 3 - 6)
    bend = f"C{tip - 30:g} {start.y:g} {x + 10:g} {end.y - 6:g} {tip:g} {end.y - 6:g}"
    return Arrow(f"M{x:g} {start.y:g}{bend}", shape, x + 18, end.y - 22)
