from pathlib import Path

import pytest

from handgrad.load import template_torch as template

pytest_plugins = ["pytester"]


@pytest.fixture
def derivation(pytester):
    """Write the template as a user's derivation, with one thing changed."""

    def write(old="", new=""):
        source = Path(template.__file__).read_text()
        assert old in source
        pytester.makepyfile(mine=source.replace(old, new, 1) if old else source)
        pytester.makepyfile(
            test_mine="""
            def test_mine(handgrad):
                handgrad("mine.py")
            """
        )

    return write


def test_a_right_derivation_passes(derivation, pytester):
    derivation()
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_wrong_derivation_fails_with_the_report_and_no_stack(derivation, pytester):
    derivation("grad_w2 = h1_tanh.T @", "grad_w2 = -h1_tanh.T @")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*mine.py:*grad_w2 = -h1_tanh.T @ grad_y_pred", "*sign:*"])
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_live_variables_can_be_checked_in_four_lines(derivation, pytester):
    derivation()
    pytester.makepyfile(
        test_mine="""
        import numpy as np
        from mine import Net, backward, forward, init

        def test_mine(handgrad):
            params, x, y = init(np.random.default_rng(1))
            values = forward(params, x, y)
            handgrad({**params, **values, **backward(params, x, y, values)}, Net(), x, y)
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
