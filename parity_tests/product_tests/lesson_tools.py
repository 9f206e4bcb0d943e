"""What the tests of the lessons share."""

import html
import re
import sys
import types

import pytest

from handgrad.load import gallery

STEPS = 5  # of a training: the whole one is of no other kind


@pytest.fixture(scope="module", autouse=True)
def short():
    """Train no longer than is needed here."""
    rates = gallery.learning_rates
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "learning_rates", lambda name: rates(name)[:STEPS])
        yield


def text_of(page):
    """Return what a reader sees of some HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def install(monkeypatch, folder, package, name, source):
    """Write a module of the gallery's, import it from there, and put it in place; return it."""
    path = folder / package / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    module = types.ModuleType(f"handgrad.{package}.{name}")
    module.__file__, module.__package__ = str(path), f"handgrad.{package}"
    exec(compile(source, str(path), "exec"), vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module
