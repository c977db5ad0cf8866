"""Labels of metrics are kept for ever, so none takes its value from outside."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProviderError
from realtime.metrics import Metrics
from realtime.upstream import CODES, OTHER, OURS, Upstream, label_of

FOREIGN = st.text(min_size=1, max_size=40)


@given(FOREIGN)
def test_a_code_of_somebody_else_is_other(code: str):
    assert label_of(code) in CODES | OURS | {OTHER}
    assert label_of("") == ""


def test_services_with_words_of_their_own_make_no_new_lines():
    metrics = Metrics()
    upstream = Upstream(metrics)
    sizes = []
    for number in range(300):
        upstream.failed("chat", ProviderError("no", code=f"odd_{number}", upstream_code=10_000 + number))
        metrics.responses.labels("failed", label_of(f"odd_{number}")).inc()
        sizes.append(metrics.text().count(b"\nrealtime_"))
    assert len(set(sizes)) == 1
