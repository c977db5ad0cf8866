"""The weights in an ONNX file, by name: as much of the format as it takes to read them without a library.

Use it only on the known file (`weights.py` checks its hash): another one can end in a ValueError or an IndexError. It
does not run models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_OUTPUT, _NODE_ATTRIBUTE = 2, 5
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 5, 6
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_FLOAT = 1  # a tensor's type


def float_tensors(path: Path) -> Mapping[str, NDArray[np.float32]]:
    """Every constant of 32-bit floats in the model and in its branches; the first of a name counts."""
    found: dict[str, NDArray[np.float32]] = {}
    for field, graph in _fields(path.read_bytes()):
        if field == _MODEL_GRAPH and isinstance(graph, bytes):
            for name, tensor in _in_graph(graph):
                found.setdefault(name, tensor)
    return found


def _in_graph(graph: bytes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for field, value in _fields(graph):
        if field == _GRAPH_INITIALIZER and isinstance(value, bytes):
            yield from _floats("", value)
        elif field == _GRAPH_NODE and isinstance(value, bytes):
            yield from _in_node(value)


def _in_node(node: bytes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """What a constant holds, under the name of its output, and what the two branches of an `If` hold."""
    fields = [(field, value) for field, value in _fields(node) if isinstance(value, bytes)]
    name = next((value.decode() for field, value in fields if field == _NODE_OUTPUT), "")
    for field, attribute in fields:
        if field != _NODE_ATTRIBUTE:
            continue
        for kind, value in _fields(attribute):
            if kind == _ATTRIBUTE_TENSOR and isinstance(value, bytes):
                yield from _floats(name, value)
            elif kind == _ATTRIBUTE_GRAPH and isinstance(value, bytes):
                yield from _in_graph(value)


def _floats(name: str, tensor: bytes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    dims: list[int] = []
    kind, raw = 0, b""
    for field, value in _fields(tensor):
        if field == _TENSOR_DIMS:
            dims += _varints(value) if isinstance(value, bytes) else [value]
        elif field == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        elif field == _TENSOR_NAME and isinstance(value, bytes):
            name = name or value.decode()
        elif field == _TENSOR_RAW and isinstance(value, bytes):
            raw = value
    if kind == _FLOAT and raw:
        yield name, np.frombuffer(raw, "<f4").reshape(dims)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of one protobuf message: numbers as they are, everything with a length as bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                value, at = _varint(message, at)
                yield key >> 3, value
            case 2:
                size, at = _varint(message, at)
                yield key >> 3, message[at : at + size]
                at += size
            case 1:
                at += 8
            case 5:
                at += 4
            case kind:
                raise ValueError(f"a protobuf field of kind {kind}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number and the place after it."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _varints(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value
