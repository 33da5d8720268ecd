"""The README lists the series that there are."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from edge_proxy.metrics import Metrics

README = Path(__file__).parents[3] / "edge_proxy" / "telemetry" / "README.md"


def test_the_readme_lists_every_series_and_no_other() -> None:
    families = text_string_to_metric_families(Metrics().render().decode())
    served = {family.name.removeprefix("foretype_edge_") for family in families}
    table = README.read_text().partition("## Cost")[0]
    listed = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert listed == served
