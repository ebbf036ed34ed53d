import json

import pytest

from launcher.report_metrics import read_metrics
from s2s.errors import ModelError
from s2s.storage import MemoryBucket

KEY = "models/x/metrics.json"


def test_a_model_without_figures_has_none():
    assert read_metrics(MemoryBucket(), KEY) is None


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"note": "x"}', json.dumps({"systems": 3}).encode()]
)
def test_what_is_no_metrics_is_refused_with_its_key(content: bytes):
    bucket = MemoryBucket()
    bucket.write(KEY, content)

    with pytest.raises(ModelError, match=KEY):
        read_metrics(bucket, KEY)
