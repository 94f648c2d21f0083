"""The models of KServe and of Kubernetes' own client, as tables: what stands in an object is looked up there.

Both are classes without a check of their own, and the package `kserve` as a whole wants a hundred others; so only the files
with its models are loaded.
"""

import importlib.util
import pathlib
import re
import sys
import types

import kubernetes.client

PACKAGE = pathlib.Path(importlib.util.find_spec("kserve").submodule_search_locations[0])


def stand_in(name, folder):
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def model(name):
    """The class of that name, from either package."""
    if hasattr(kubernetes.client, name):
        return getattr(kubernetes.client, name)
    file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return getattr(importlib.import_module(f"kserve.models.{file}"), name)


def check(value, kind, path):
    """Refuses what the type `kind` does not have."""
    listed = re.fullmatch(r"[Ll]ist\[(.*)\]", kind)
    mapped = re.fullmatch(r"[Dd]ict[\[(]str, (.*)[\])]", kind)
    if listed:
        for index, entry in enumerate(value):
            check(entry, listed[1], f"{path}[{index}]")
    elif mapped:
        for key, entry in value.items():
            check(entry, mapped[1], f"{path}.{key}")
    elif kind in ("str", "int", "float", "bool"):
        expected = {"str": str, "int": int, "float": (int, float), "bool": bool}[kind]
        if not isinstance(value, expected):
            raise ValueError(f"{path}: expected {kind}, found {value!r}")
    elif kind not in ("object", "datetime", "Any"):
        cls = model(kind)
        keys = {key: attribute for attribute, key in cls.attribute_map.items()}
        for key, entry in value.items():
            if key not in keys:
                raise ValueError(f"{path}: {kind} has no field `{key}`")
            check(entry, cls.openapi_types[keys[key]], f"{path}.{key}")


def reader(name):
    return lambda document: check(document, name, name)


stand_in("kserve", PACKAGE)
stand_in("kserve.models", PACKAGE / "models")
