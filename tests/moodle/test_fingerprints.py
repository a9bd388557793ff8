"""The plugin's fingerprints are the tool's: both check the same examples."""

from __future__ import annotations

import json
from pathlib import Path

from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import AnyDocument

EXAMPLES = Path(__file__).parents[2] / "moodle_plugin/local_nagasis/contract/fingerprints.json"


def test_the_plugin_checks_the_tools_fingerprints() -> None:
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    assert len(examples) >= 70
    for example in examples:
        document = AnyDocument.validate_python(example["document"])
        assert document.model_dump() == example["document"], "examples hold normalised documents"
        assert fingerprint(document) == example["fingerprint"], example["document"]
