"""A network as a picture: a box for each quantity, an arrow for each step, drawn from its trace."""

from typing import NamedTuple

BOX = (110, 34)  # width and height of a box
MAIN, SIDE = 275, 75  # where the middle of the two columns is: values, and what they need besides
ROW, TOP = 92, 24  # from one row to the next, and the middle of the first


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
    height: int
    sentence: str


def diagram(sources, shapes):
    """Lay a network out: values from top to bottom, and to their left what they need besides.

    `sources` has for each value, in the order of computing, the names of what it was computed
    from, `shapes` the shape of each name as text.
    """
    column = ["x", *sources]
    boxes = {name: Box(name, MAIN, TOP + ROW * i, "value") for i, name in enumerate(column)}
    arrows = []
    for value, names in sources.items():
        beside = [name for name in names if name not in column]
        for i, name in enumerate(beside):
            y = boxes[value].y + (i - (len(beside) - 1) / 2) * (BOX[1] + 8)
            boxes[name] = Box(name, SIDE, y, "parameter")
        arrows += [arrow(boxes[name], boxes[value], shapes[name]) for name in names]
    steps = [
        f"{' and '.join(names)} give{'s' * (len(names) == 1)} {value}"
        for value, names in sources.items()
    ]
    height = TOP + ROW * (len(column) - 1) + TOP + 20
    return Diagram(list(boxes.values()), arrows, height, f"{'; '.join(steps)}.")


def arrow(start, end, shape):
    """Draw one arrow: down, from the side, or around the boxes between."""
    width, height = BOX
    if start.x == SIDE:
        x, tip = start.x + width / 2, end.x - width / 2 - 6
        path = f"M{x:g} {start.y:g}L{tip:g} {(start.y + 2 * end.y) / 3:g}"
        return Arrow(path, shape, (x + tip) / 2, (2 * start.y + end.y) / 3 - 6)
    top, tip = start.y + height / 2, end.y - height / 2 - 6
    if end.y - start.y <= ROW:
        return Arrow(f"M{start.x} {top:g}V{tip:g}", shape, start.x + 38, (top + tip) / 2 + 4)
    right = start.x + width / 2
    bend = f"C{right + 60:g} {start.y:g} {right + 60:g} {end.y:g} {right + 6:g} {end.y:g}"
    return Arrow(f"M{right:g} {start.y:g}{bend}", shape, right + 48, (start.y + end.y) / 2)
