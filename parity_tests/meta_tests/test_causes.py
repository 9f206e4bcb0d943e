from pathlib import Path

import pytest

from handgrad.explain import causes
from handgrad.load.gallery import GALLERY
from parity_tests.meta_tests.planted import PLANTED

README = Path(__file__).parents[2] / "README.md"
# Of what no network of the gallery has: see product_tests/test_scripts and test_structure here.
ELSEWHERE = (causes.unreached, causes.softmax_step, causes.assigned_rows)
FOLDER = Path(causes.__file__).parent


def test_every_file_of_a_cause_is_asked_just_once():
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    asked = [cause.__name__.rpartition(".")[2] for cause in causes.IN_ORDER]
    assert sorted(asked) == sorted(files)


@pytest.mark.parametrize("cause", causes.IN_ORDER, ids=lambda cause: cause.__name__)
def test_a_cause_has_all_that_a_cause_has(cause):
    assert len(cause.__doc__.splitlines()) == 1
    assert isinstance(cause.KIND, str)
    assert isinstance(cause.LOOKS_LIKE, str)
    assert callable(cause.find)
    assert cause.EXAMPLES or cause in ELSEWHERE
    for network, old, new, wrong in cause.EXAMPLES:
        assert network in GALLERY
        assert old != new
        assert cause.KIND in wrong.values()


def test_every_example_is_planted():
    examples = [example for cause in causes.IN_ORDER for example in cause.EXAMPLES]
    assert sum(map(len, PLANTED.values())) == len(examples)


def test_the_last_cause_is_that_there_is_none():
    assert causes.IN_ORDER[-1].KIND == "unknown"
    assert set(causes.AT_ANY_SIZE) < set(causes.IN_ORDER)


def test_the_readmes_table_of_causes_is_that_of_the_files():
    looks: dict[str, list[str]] = {}
    for cause in causes.IN_ORDER:
        looks.setdefault(cause.KIND, []).append(cause.LOOKS_LIKE)
    lines = [f"| `{kind}` | {', '.join(parts)} |" for kind, parts in looks.items()]
    table = README.read_text(encoding="utf-8").split(
        "| cause | what it looks like |\n| --- | --- |"
    )
    assert [line for line in table[1].split("\n\n")[0].splitlines() if line] == lines
