"""How samples become figures, and figures a document."""

import json

import pytest

from bench import report
from bench.figures import Figure, amount, of_samples, percentile, this_machine


@pytest.mark.parametrize(
    ("share", "expected"),
    [pytest.param(0.5, 50, id="median"), pytest.param(0.95, 95, id="p95"), pytest.param(1.0, 100, id="worst")],
)
def test_percentile_is_a_sample_that_so_many_do_not_exceed(share, expected):
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_percentile_of_one_sample_is_that_sample():
    assert percentile([3.0], 0.95) == 3.0


def test_figure_of_samples_is_their_95th_percentile_with_the_rest_beside():
    figure = of_samples("x", "what", [0.1] * 94 + [2.0] * 6, bar=1.0, unit="s")

    assert figure.text == "p95 2.00 s"
    assert figure.besides == "p50 0.10 s, worst 2.00 s"
    assert figure.samples == 100
    assert not figure.holds


@pytest.mark.parametrize(
    ("value", "text"),
    [pytest.param(0.214, "0.21 s"), pytest.param(12.34, "12.3 s"), pytest.param(489.4, "489 s")],
)
def test_amount_shows_the_digits_that_mean_something(value, text):
    assert amount(value, "s") == text


def _figure(name: str, measured: float) -> Figure:
    return Figure(name, f"what {name} is", 2.0, measured, "s", 5, this_machine(), "p95", "p50 1 s")


def test_kept_figures_are_replaced_by_name_and_given_out_by_row(tmp_path):
    (tmp_path / "bench").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / report.MISSION).write_text('[C3]\ndoes = "Tell"\npublished = "10.20 s"\n[F]\ndoes = "Shape"\n')

    report.keep(tmp_path, [_figure("host_cut", 1.0), _figure("idle_cpu", 1.5)], "2026-01-01")
    report.keep(tmp_path, [_figure("host_cut", 3.0)], "2026-01-02")

    assert json.loads((tmp_path / report.BY_ROW).read_text()) == {
        "C1": "Telegram: p95 3.00 s",
        "C3": "fault to message: p95 3.00 s",
        "F": "idle: p95 1.50 s",
    }
    text = report.document(tmp_path, {"host_cut": "How one is measured."}, ("idle_cpu", "host_cut"))
    assert text.index("what idle_cpu is") < text.index("what host_cut is")
    assert "| what host_cut is | ≤ 2.00 s | p95 3.00 s | 5 | p50 1 s | **missed** |" in text
    assert "| host_cut | 2026-01-02 |" in text
    assert "| C3 | Tell | 10.20 s | fault to message: p95 3.00 s |" in text
    assert "Shape" not in text
