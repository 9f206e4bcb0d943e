"""The fixture `handgrad` for a user's own tests: pytest finds it where the package is installed.

def test_my_derivation(handgrad):
    handgrad(my_quantities(), MyNet(), x, y)
"""

import pytest


@pytest.fixture(scope="session")
def handgrad():
    """Give a function like `parity_tests.check` that fails the test with the report.

    It returns the Report where all is right. It also takes the path of a file or a notebook.
    """

    def check_or_fail(quantities, reference=None, x=None, y=None, **options):
        __tracebackhide__ = True
        from parity_tests.own.check import check
        from parity_tests.own.paths import check_path

        if isinstance(quantities, str) or hasattr(quantities, "__fspath__"):
            report = check_path(quantities)
        else:
            report = check(quantities, reference, x, y, **options)
        if not report.ok:
            pytest.fail(str(report), pytrace=False)
        return report

    return check_or_fail
