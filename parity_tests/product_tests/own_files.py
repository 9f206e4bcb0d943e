"""Files whose reference is their own forward pass: the template with some of it changed."""

import pytest

from handgrad.load import file
from handgrad.pipeline import check_file

TEMPLATE = file.Path(file.__file__).with_name("template.py").read_text(encoding="utf-8")
GRADS = '{"w1": grad_w1, "b1": grad_b1, "w2": grad_w2, "b2": grad_b2}'
RIGHT = {f"grad_{name}": "match" for name in ("w1", "b1", "w2", "b2")}


@pytest.fixture
def judged(tmp_path):
    """Give a function that checks the template with some of its parts changed: the report."""

    def check(*changes, source=TEMPLATE):
        for old, new in changes:
            assert old in source, old
            source = source.replace(old, new)
        path = tmp_path / "mine.py"
        path.write_text(source, encoding="utf-8")
        (report,) = check_file(path)
        return report

    return check


def wrong_findings(report):
    """Return the findings that are wrong."""
    return [finding for finding in report.findings if finding.verdict == "wrong"]


def verdicts(report):
    """Return the verdict of each gradient of a report that has no error."""
    assert report.error is None
    return {f.name: f.verdict for f in report.findings if f.kind == "gradient"}
