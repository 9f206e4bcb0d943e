"""What all tests share. The process that hands them out reads this too: it needs no torch."""

import os
from collections import Counter

import pytest

from handgrad.load.gallery import GALLERY

IN_CI = "CI" in os.environ
MANY = 50 if IN_CI else 8  # draws of each property
FEW, EACH = 2, 8  # cases of one test that are run every time: the first ones, and each so many-th
CASES: Counter[str] = Counter()  # of each test, so far


def slow_but(cases, *quick):
    """Return cases of which these are run each time, and the others with the slow tests."""
    return [c if c in quick else pytest.param(c, marks=pytest.mark.slow) for c in cases]


def pytest_itemcollected(item):
    """Of a test of many cases run the first and each eighth always, the rest with the slow ones.

    So `make test` stays within a minute, and says of each test whether it passes.
    """
    test = item.nodeid.split("[")[0]
    CASES[test] += 1
    if CASES[test] > FEW and CASES[test] % EACH:
        item.add_marker(pytest.mark.slow)


def has_cuda():
    """Say whether there is a CUDA device."""
    import torch

    return torch.cuda.is_available()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Without CUDA, skip a test of it once, and not again for each network, case and dtype."""
    if has_cuda():
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    told: set[str] = set()
    for item in items:
        on_cuda = hasattr(item, "callspec") and item.callspec.params.get("device") == "cuda"
        test = item.nodeid.split("[")[0]
        (left_out if on_cuda and test in told else kept).append(item)
        if on_cuda:
            told.add(test)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Compute on one thread: for arrays of this size the others cost more than they give."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def no_corrections():
    """Look for no corrected line: that takes longer than most tests; `with_corrections` does."""
    from handgrad.explain.correct import corrected

    before, corrected.SECONDS = corrected.SECONDS, 0.0
    yield before
    corrected.SECONDS = before


@pytest.fixture
def with_corrections(no_corrections, monkeypatch):
    """Look for corrected lines in this test, for as long as it takes."""
    monkeypatch.setattr("handgrad.explain.correct.corrected.SECONDS", 10 * no_corrections)


@pytest.fixture(scope="session", params=["cpu", "cuda"])
def device(request):
    """Give each device in turn; CUDA is skipped, in one line of the summary, where it is absent."""
    if request.param == "cuda" and not has_cuda():
        pytest.skip("no CUDA device on this machine")
    return request.param


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    """Give each dtype in turn."""
    return request.param


@pytest.fixture(params=list(GALLERY))
def name(request):
    """Give the name of each network of the gallery in turn."""
    return request.param
