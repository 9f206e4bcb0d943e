"""The house: imports go one way, and names at the top of site-packages are handgrad's alone."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import handgrad
from handgrad.cli.main import command_line
from handgrad.pipeline import check_gallery

PACKAGE = Path(handgrad.__file__).parent
CHECKOUT = PACKAGE.parent
ROOMS = (
    *("errors", "findings", "network", "run", "compare", "explain", "load", "show", "report"),
    *("pipeline", "jupyter", "train", "record", "lessons", "cli"),
)
TWO_SIDES = ("manual", "torch_ref")
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


@pytest.fixture(scope="module")
def arrows():
    """Give each file of the engine, its room, and the room of each import of the engine's own."""
    rooms = {path: path.relative_to(PACKAGE).parts[0] for path in sorted(PACKAGE.rglob("*.py"))}
    return [
        (path, room.removesuffix(".py"), name.split(".")[1])
        for path, room in rooms.items()
        if room.removesuffix(".py") not in (*TWO_SIDES, *ABOVE_ALL)
        for name in imports_of(path)
        if name.startswith("handgrad.")
    ]


def test_every_room_is_known():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py")}
    assert rooms - {*TWO_SIDES, "__pycache__", *ABOVE_ALL} == set(ROOMS)


def test_no_import_runs_back_up(arrows):
    known = (*ROOMS, *TWO_SIDES)
    found = [(path, other) for path, _, other in arrows if other not in known]
    assert found == []
    height = {room: floor for floor, room in enumerate(ROOMS)} | {"manual": -1, "torch_ref": -1}
    assert [
        (path.name, other) for path, room, other in arrows if height[other] > height[room]
    ] == []


def test_the_two_sides_are_reached_through_the_gallery_alone(arrows):
    named = {path.name for path, _, other in arrows if other in TWO_SIDES}
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
        and (node.end_lineno or 0)
        - node.body[-1 if len(node.body) == 1 else bool(ast.get_docstring(node))].lineno
        > 50
    }
    assert long == set()


def walk(function):
    """Call a function; return the files of the engine that it enters, and the arrows between."""
    engine = {str(path) for path in PACKAGE.rglob("*.py") if path.parent.name not in TWO_SIDES}
    files, between = set(), set()

    def note(frame, event, _):
        here, caller = frame.f_code.co_filename, frame.f_back
        if event != "call" or here not in engine:
            return
        files.add(here)
        while caller is not None and caller.f_code.co_filename not in engine:
            caller = caller.f_back
        if caller is not None and caller.f_code.co_filename != here:
            between.add((caller.f_code.co_filename, here))

    function()  # whatever is imported, is now
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return files, between


def test_a_check_is_followed_through_few_files():
    files, between = walk(lambda: check_gallery("two_layer_relu"))
    assert len(files) <= 12
    assert len(between) <= 20


def test_a_command_is_followed_through_few_files(monkeypatch):
    arguments = ["handgrad", "two_layer_relu", "--dtype", "float64", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", arguments)
    files, between = walk(command_line)
    assert len(files) <= 16
    assert len(between) <= 26


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
