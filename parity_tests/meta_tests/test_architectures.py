"""Networks that were not written for the gallery: right derivations, so nothing of them fails."""

import pytest

from handgrad.pipeline import check
from handgrad.run.precision import PRECISIONS

architectures = pytest.importorskip("benchmarks.architectures", reason="not in a checkout")

SLOW = [pytest.param(dtype, marks=pytest.mark.slow) for dtype in ("tf32", "bfloat16")]
SEVERAL_ARE_RIGHT = ("l1_one_sided", "tied_maxima_last", "tied_maxima_shared")
SEEDS = {"softplus": 0}  # a seed that gives it inputs above 20


@pytest.mark.parametrize("dtype", ["float64", "float32", *SLOW])
@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_right_derivations_match(name, dtype):
    network = architectures.draw(name, dtype, SEEDS.get(name, 3))
    report = check(network, precision=PRECISIONS[dtype])
    right = {"match", "subgradient"} if name in SEVERAL_ARE_RIGHT else {"match"}
    found = {finding.name: finding.verdict for finding in report.findings}
    assert {key: verdict for key, verdict in found.items() if verdict not in right} == {}
