"""Parameters that several operations share, as components of the document."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any


def shared(operations: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Replace the parameters that several operations have by references; return the components.

    Of several parameters with one name, the most frequent becomes the component.
    """
    lists = [each["parameters"] for each in operations if "parameters" in each]
    written = Counter(_written(each) for parameters in lists for each in parameters)
    components: dict[str, Any] = {}
    for text, count in written.most_common():
        parameter = json.loads(text)
        if count > 1:
            components.setdefault(_component(parameter), parameter)
    for parameters in lists:
        parameters[:] = [_reference(each, components) for each in parameters]
    return components


def _reference(parameter: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    name = _component(parameter)
    is_shared = components.get(name) == parameter
    return {"$ref": f"#/components/parameters/{name}"} if is_shared else parameter


def _component(parameter: dict[str, Any]) -> str:
    return "".join(part[0].upper() + part[1:] for part in parameter["name"].split("-"))


def _written(parameter: dict[str, Any]) -> str:
    return json.dumps(parameter, sort_keys=True)
