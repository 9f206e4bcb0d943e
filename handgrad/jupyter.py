"""In Jupyter: `%load_ext handgrad`, then `%%handgrad` on the cell that holds the passes."""

from __future__ import annotations

from typing import Any

from handgrad.load import cells
from handgrad.load.execute import settings_put_back
from handgrad.pipeline import check
from handgrad.report import Report


def check_cells(found: dict[int, str], namespace: dict[str, Any]) -> Report:
    """Judge the last pass in cells, by number, that were run in a namespace."""
    with settings_put_back(), cells.opened(found, namespace) as network:
        return check(network)


def check_run(namespace: Any) -> Report:
    """Judge the last pass in the cells that were run in IPython, whose `globals()` these are."""
    return check_cells(cells.cells_of(namespace), namespace)


def register(shell: Any) -> None:
    """Let IPython know `%%handgrad`: the cell is run as any other, then its last pass is judged."""

    def handgrad(_line: str, cell: str) -> Report | None:
        """Run the cell, then judge the last pass in it, line by line."""
        done = shell.run_cell(cell)
        if not done.success:  # IPython has shown why
            return None
        return check_cells({shell.execution_count: f"\n{cell}"}, shell.user_ns)

    shell.register_magic_function(handgrad, magic_kind="cell")
