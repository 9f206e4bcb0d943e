"""The fixture `handgrad` for a user's own tests: pytest finds it where the package is installed.

def test_my_derivation(handgrad):
    handgrad(my_quantities(), MyNet(), x, y)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from handgrad.report import Report


@pytest.fixture(scope="session")
def handgrad() -> Callable[..., Report | list[Report]]:
    """Give a function like `handgrad.check` that fails the test with the report.

    It returns the Report where all is right. It also takes the path of a file or a notebook, and
    returns the Reports on the derivations in it.
    """

    def check_or_fail(
        quantities: Any, reference: Any = None, x: Any = None, y: Any = None, **options: Any
    ) -> Report | list[Report]:
        __tracebackhide__ = True
        import handgrad
        from handgrad.pipeline import check_file

        if isinstance(quantities, str) or hasattr(quantities, "__fspath__"):
            reports = check_file(quantities)
            for report in reports:
                fail_unless_ok(report)
            return reports
        report = handgrad.check(quantities, reference, x, y, **options)
        fail_unless_ok(report)
        return report

    return check_or_fail


def fail_unless_ok(report: Report) -> None:
    """Fail the test with what a Report says, unless all is right."""
    __tracebackhide__ = True
    from handgrad.show.columns import visible

    if report.error is not None:
        pytest.fail(visible(report.error), pytrace=False)
    if not report.ok:
        pytest.fail(str(report), pytrace=False)
