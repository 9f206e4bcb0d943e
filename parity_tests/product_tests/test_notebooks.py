import pytest

from handgrad.errors import InputError
from handgrad.load.file import opened
from handgrad.pipeline import check

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")


def check_notebook(path):
    """Check a notebook; what is wrong with it is raised."""
    with opened(path) as networks:
        (load,) = networks
        return check(load())


CELLS = [
    "%matplotlib inline\nimport numpy as np\nfrom torch import nn",
    "rng = np.random.default_rng(0)",
    "x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 1))",
    "w1, w2 = rng.standard_normal((3, 4)), rng.standard_normal((4, 1))",
    "h1 = x.dot(w1)\nh1_relu = np.maximum(h1, 0)\ny_pred = h1_relu.dot(w2)",
    "loss = np.square(y_pred - y).sum()",
    "grad_y_pred = 2.0 * (y_pred - y)\ngrad_w2 = h1_relu.T.dot(grad_y_pred)",
    "grad_h1_relu = grad_y_pred.dot(w2.T)\ngrad_h1 = grad_h1_relu.copy()\ngrad_h1[h1 < 0] = 0",
    "grad_w1 = x.T.dot(grad_h1)",
    """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.h1 = nn.Linear(3, 4, bias=False)
        self.h1_relu = nn.ReLU()
        self.y_pred = nn.Linear(4, 1, bias=False)

    def forward(self, x):
        return self.y_pred(self.h1_relu(self.h1(x)))

net = Net()""",
]


@pytest.fixture
def write(tmp_path):
    """Give a function that writes a notebook with one thing changed, and returns its path."""

    def change(old="", new=""):
        cells = [nbformat.v4.new_markdown_cell("# A derivation")]
        cells += [
            nbformat.v4.new_code_cell(cell.replace(old, new) if old else cell) for cell in CELLS
        ]
        path = tmp_path / "mine.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return change


def test_what_a_notebook_leaves_is_checked(write):
    report = check_notebook(write())
    assert report.ok
    assert {f.verdict for f in report.findings} == {"match"}


def test_a_mistake_in_a_notebook_is_named(write):
    report = check_notebook(write("grad_w2 = h1_relu.T", "grad_w2 = h1.T"))
    assert report.first == "grad_w2"


def test_values_from_before_an_update_are_judged_with_the_weights_from_before(write):
    report = check_notebook(
        write("grad_w1 = x.T.dot(grad_h1)", "grad_w1 = x.T.dot(grad_h1)\nw1 -= 1e-3 * grad_w1")
    )
    assert report.ok
    assert any("which fit w1 + 0.001 * grad_w1" in note for note in report.notes)


def test_a_failing_cell_is_named_with_its_number_and_its_error(write):
    with pytest.raises(InputError, match=r"code cell 6, line 1: it raised NameError: .*'yy'"):
        check_notebook(write("(y_pred - y).sum()", "(y_pred - yy).sum()"))
    with pytest.raises(InputError, match=r"code cell 6, line 1.*not Python"):
        check_notebook(write("(y_pred - y).sum()", "(y_pred - y.sum()"))


def test_what_is_missing_in_a_notebook_is_one_sentence(write, tmp_path):
    with pytest.raises(InputError, match=r"leaves no `reference`.*found no nn.Module"):
        check_notebook(write("net = Net()", ""))
    with pytest.raises(InputError, match="found net, one"):
        check_notebook(write("net = Net()", "net = Net()\none = Net()"))
    with pytest.raises(InputError, match="leaves no y"):
        check_notebook(write("net = Net()", "net = Net()\ndel y"))
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{not json")
    with pytest.raises(InputError, match="is not a Jupyter notebook"):
        check_notebook(broken)
    broken.write_text('{"json": "but no notebook"}')
    with pytest.raises(InputError, match="is not a Jupyter notebook"):
        check_notebook(broken)
