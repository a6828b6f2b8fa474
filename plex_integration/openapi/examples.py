"""The example responses of the document."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "examples"


def components() -> dict[str, Any]:
    """Return the examples, by the names of their operations."""
    files = sorted(_FOLDER.glob("*.json"))
    return {file.stem: {"value": json.loads(file.read_text())} for file in files}


def add_to(operation: dict[str, Any]) -> None:
    """Refer to the example of an operation in its response, where there is one."""
    name = operation["operationId"]
    if (_FOLDER / f"{name}.json").exists():
        content = operation["responses"]["200"]["content"]["application/json"]
        content["examples"] = {"documented": {"$ref": f"#/components/examples/{name}"}}
