"""The mistakes that others made, in `benchmarks/found/`: each is a case, its program green.

Nothing is judged with a mistake in it: so what is set aside stays unseen.
"""

import ast
from pathlib import Path

import pytest

import handgrad

if not (Path(handgrad.__file__).parents[1] / "benchmarks").exists():
    pytest.skip("the benchmarks are not in the package", allow_module_level=True)

from benchmarks.found.case import PROGRAMS
from benchmarks.found.table import CASES
from benchmarks.found.validate import not_green

PATHS = sorted(PROGRAMS.glob("*.py"))


def test_the_ids_are_unique():
    assert len({case.id for case in CASES}) == len(CASES) > 0


def test_each_edit_makes_another_program_of_one_place_in_a_right_one():
    for case in CASES:
        right, wrong = ast.parse(case.right_text()), ast.parse(case.wrong_text())
        assert ast.dump(right) != ast.dump(wrong), case.id


def test_each_program_has_a_case():
    assert {case.program for case in CASES} == {path.stem for path in PATHS} - {"__init__"}


def test_about_a_third_is_set_aside_by_the_id_alone():
    aside = {case.id for case in CASES if case.part == "set-aside"}
    assert 1 / 4 < len(aside) / len(CASES) < 1 / 2
    moved = [case._replace(program="", old="", new="", wrong=(), says="") for case in CASES]
    assert {case.id for case in moved if case.part == "set-aside"} == aside


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_right_program_is_green(path):
    assert list(not_green(path)) == []
