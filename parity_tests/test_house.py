"""The house: imports go one way, and names at the top of site-packages are handgrad's alone."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import handgrad

PACKAGE = Path(handgrad.__file__).parent
CHECKOUT = PACKAGE.parent
ROOMS = (
    *("errors", "findings", "network", "run", "compare", "explain", "load", "show", "report"),
    *("pipeline", "train", "record", "lessons", "cli"),
)
ABOVE_ALL = ("__init__", "__main__", "pytest_plugin")  # nobody imports these
in_checkout = pytest.mark.skipif(
    not (CHECKOUT / "Makefile").exists(), reason="the package is not in a checkout"
)


def imports_of(path):
    """Yield the names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows():
    """Yield each file of the engine, its room, and the room of each import of the engine's own."""
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room not in ("manual", "torch_ref", *ABOVE_ALL):
            for name in imports_of(path):
                if name.startswith("handgrad."):
                    yield path, room, name.split(".")[1]


def test_every_room_is_known():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py")}
    assert rooms - {"manual", "torch_ref", "__pycache__", *ABOVE_ALL} == set(ROOMS)


def test_no_import_runs_back_up():
    known = (*ROOMS, "manual", "torch_ref")
    found = [(path, other) for path, _, other in arrows() if other not in known]
    assert found == []
    height = {room: floor for floor, room in enumerate(ROOMS)} | {"manual": -1, "torch_ref": -1}
    assert [
        (path.name, other) for path, room, other in arrows() if height[other] > height[room]
    ] == []


def test_the_two_sides_are_reached_through_the_gallery_alone():
    named = {path.name for path, _, other in arrows() if other in ("manual", "torch_ref")}
    assert named == set()


def test_a_file_is_read_in_a_sitting():
    longest = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: lines for name, lines in longest.items() if lines > 300} == {}


def test_a_function_fits_on_a_screen():
    long = {
        f"{path.name}: {node.name}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        # what is to be read: the docstring and the signature stand above it
        and (node.end_lineno or 0) - node.body[bool(ast.get_docstring(node))].lineno > 50
    }
    assert long == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel."""
    pytest.importorskip("build", reason="build is not installed")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(CHECKOUT)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@in_checkout
@pytest.mark.slow
def test_the_wheel_puts_one_name_at_the_top(wheel):
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"handgrad"}
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {"handgrad/py.typed", "handgrad/manual/layer_norm.py"} <= inside
    assert "handgrad/show/templates/base.html.j2" in inside


@in_checkout
@pytest.mark.slow
def test_the_users_folder_may_have_files_of_any_name(wheel, tmp_path):
    site, mine = tmp_path / "site", tmp_path / "mine"
    zipfile.ZipFile(wheel).extractall(site)
    mine.mkdir()
    for name in ("manual.py", "torch_ref.py", "report.py", "network.py"):
        (mine / name).write_text(f"raise SystemExit('this is the {name} of the user')\n")
    (mine / "torch_ref").mkdir()
    (mine / "torch_ref" / "__init__.py").write_text("raise SystemExit('of the user')\n")
    run = (
        "import sys; sys.path[:0] = ['', sys.argv.pop(1)]\n"
        "from handgrad.cli.main import main; main()"
    )
    for arguments, words in (
        (["new", "mine.py"], "Wrote mine.py"),
        (["mine.py", "--json"], '"verdict": "match"'),
        (["two_layer_relu", "layer_norm"], "All match: 64 quantities of 2 variants"),
    ):
        command = [sys.executable, "-c", run, str(site), *arguments]
        done = subprocess.run(command, cwd=mine, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert words in done.stdout
