import pytest
import torch

from parity_tests.compare.devices import exact_float32


@pytest.fixture
def settings():
    """Put torch's settings back as they were."""
    cudnn, matmul = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    yield
    torch.backends.cudnn.allow_tf32 = cudnn
    torch.set_float32_matmul_precision(matmul)


def read():
    return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


def fail_inside(seen):
    with exact_float32():
        seen.append(read())
        raise ArithmeticError


@pytest.mark.parametrize("before", ["high", "highest"])
def test_tf32_is_off_inside_and_as_it_was_after_an_exception(settings, before):
    torch.set_float32_matmul_precision(before)
    torch.backends.cudnn.allow_tf32 = True
    seen: list[tuple[str, bool]] = []
    with pytest.raises(ArithmeticError):
        fail_inside(seen)
    assert seen == [("highest", False)]
    assert read() == (before, True)
