"""What all tests share."""

import pytest
import torch

from parity_tests.variants import VARIANTS


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Compute on one thread: for arrays of this size the others cost more than they give."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", params=["cpu", "cuda"])
def device(request):
    """Give each device in turn; CUDA is skipped, in one line of the summary, where it is absent."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    return request.param


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    """Give each dtype in turn."""
    return request.param


@pytest.fixture(params=list(VARIANTS))
def variant(request):
    """Give the name of each variant in turn."""
    return request.param
