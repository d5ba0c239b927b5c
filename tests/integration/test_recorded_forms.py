"""Documents of runs of all sorts have all that the documents of such runs had when they were recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cqlsurge.results.document import broken_laws
from cqlsurge.runs.run import run
from cqlsurge.settings import Settings
from tests.integration.wire_support import simulator
from tests.results.recorded import COMMON, FORMS, RUNS, differences, form


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.long] * (name == "hosts")) for name in RUNS])
def test_a_document_has_its_form(tmp_path: Path, name: str) -> None:
    options, settings = RUNS[name]
    with simulator(tmp_path, "--nodes", "2", "--shards", "2", *options) as server:
        common: dict[str, Any] = {**COMMON, "address": f"{server.host}:{server.port}"}
        if settings.get("mode") == "read":
            run(Settings(**{**common, "operations": settings["keys"]}))
        document = run(Settings(**{**common, **settings}))
    assert broken_laws(document) == []
    recorded = json.loads(FORMS.read_text())[name]
    assert differences(recorded, json.loads(json.dumps(form(document)))) == []
