"""What the tests of speech share: published schemas."""

import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import jsonschema
import pytest


@pytest.fixture
def conform() -> Callable[[str, dict[str, object]], Any]:
    """`conform("plan", document)`: what a reader of the JSON gets, after the schema has been checked."""

    def check(name: str, document: dict[str, object]) -> Any:
        schema = json.loads(resources.files("git_fleet.output").joinpath(f"schemas/{name}.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        read = json.loads(json.dumps(document))
        jsonschema.Draft202012Validator(schema).validate(read)
        for key in schema["required"]:
            renamed = {f"{key}x" if known == key else known: value for known, value in read.items()}
            assert not jsonschema.Draft202012Validator(schema).is_valid(renamed), key
        return read

    return check
