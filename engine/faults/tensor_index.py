"""How a weight's place in its tensor is written in a list, and which flat index it stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.faults.population import Layer

NUMBER = re.compile(r"\d{1,18}", re.ASCII)
NUMBERS = r"\d{1,18}(?:(?:\s*,\s*|\s+)\d{1,18})*+\s*,?"
PLACE = re.compile(rf"\(\s*{NUMBERS}\s*\)|\[\s*{NUMBERS}\s*\]", re.ASCII)
SCALAR = re.compile(r"(?:(?:np|numpy)\.)?u?int\d+\((\d{1,18})\)|(?:torch\.)?tensor\((\d{1,18})\)", re.ASCII)
ARRAY = re.compile(
    r"(?:torch\.)?(?:tensor|Size)\((?P<tensor>.*?)(?:,\s*(?:dtype|device)=[\w.:']+)*\)"
    r"|(?:(?:np|numpy)\.)?array\((?P<array>.*?)(?:,\s*dtype=[\w.']+)?\)",
    re.ASCII | re.DOTALL,
)
ALL_SCALARS = re.compile(r"(?:\n[(\[]<\d{1,18}\)(?:, ?<\d{1,18}\))*+,?[)\]])*+\n", re.ASCII)
"""lines of places all of whose elements are printed with a type, for which < stands"""
GAP = re.compile(r"(?<=\d)(?:[ \t]*,[ \t]*|[ \t]+)(?=\d)", re.ASCII)
"""between two numbers"""
EDGE = re.compile(r"(?<=[(\[])[ \t]+|[ \t]+(?=[,)\]])", re.ASCII)
"""blanks inside of brackets"""


def parse_tensor_index(text: str, layer: Layer) -> int:
    """The flat index, in C order, of a place such as `(3, 0, 2, 1)`.

    Also read are `[3, 0, 2, 1]`, `[3 0 2 1]`, `tensor([3, 0, 2, 1])`, `torch.Size([3, 0, 2, 1])` and elements such as
    `np.int64(3)` and `tensor(3)`: what Python, numpy and torch print.

    Raises:
        ValueError: it is spelled otherwise, or lies outside the layer's weight.
    """
    plain = SCALAR.sub(lambda match: match[1] or match[2], text)
    if wrapped := ARRAY.fullmatch(plain):
        plain = wrapped["tensor"] or wrapped["array"]
    place = tuple(map(int, NUMBER.findall(plain))) if PLACE.fullmatch(plain) else ()
    inside = len(place) == len(layer.shape) and all(i < n for i, n in zip(place, layer.shape, strict=True))
    if not inside:
        raise ValueError(f"tensor_index {text!r} is outside {layer.name}, whose weight has the shape {layer.shape}")
    return int(np.ravel_multi_index(place, layer.shape))


def parse_tensor_indices(texts: Sequence[str], layer: Layer) -> npt.NDArray[np.int64] | None:
    """The flat indices of many places of one layer, [n]; None where one is wrong, or they are not spelled alike.

    A list of 10 million rows takes seconds this way, and minutes place by place.
    """
    places = _plain_places("".join(texts), len(layer.shape))
    if places is None:
        places = _plain_places(_respelled(texts), len(layer.shape))
    if places is None or not all(texts) or len(places) != len(texts) or (places >= np.array(layer.shape)).any():
        return None
    return np.asarray(np.ravel_multi_index(tuple(places.T), layer.shape), dtype=np.int64)


def _respelled(texts: Sequence[str]) -> str:
    """What Python, numpy and torch print, as `(3,0,2,1)`, where all is printed as the first text is.

    Whatever else is there stays, and is not plain then. Millions of texts are replaced as one.
    """
    first, lines = texts[0], "\n".join(["", *texts, ""])
    if lines.count("\n") != len(texts) + 1 or "<" in lines:
        return lines
    if array := ARRAY.fullmatch(first):
        inner = "tensor" if array["tensor"] else "array"
        head, tail = f"\n{first[: array.start(inner)]}", f"{first[array.end(inner) :]}\n"
        if not lines.count(head) == lines.count(tail) == len(texts):
            return lines
        lines = lines.replace(head, "\n").replace(tail, "\n")
    if scalar := SCALAR.search(first):
        lines = lines.replace(first[scalar.start() : scalar.start(scalar.lastindex or 0)], "<")
        if not ALL_SCALARS.fullmatch(lines):
            return lines
        lines = lines.replace("<", "").replace("),", ",").replace("))", ")").replace(")]", "]")
    if lines.count(" ") != lines.count(", "):
        lines = EDGE.sub("", GAP.sub(",", lines))
    return lines.replace(",)", ")").replace(",]", "]").replace("\n", "")


def _plain_places(joined: str, dimensions: int) -> npt.NDArray[np.int64] | None:
    """The places [n, dimensions] in a text of nothing but `(3, 0, 2, 1)`, or all of them in square brackets."""
    if "(" not in joined:
        joined = joined.replace("[", "(").replace("]", ")")
    plain = rf"(?:\(\d{{1,9}}+(?:, ?\d{{1,9}}+){{{dimensions - 1}}}\))*+"
    if re.fullmatch(plain, joined, re.ASCII) is None:
        return None
    numbers = np.fromstring(joined.replace("(", "").replace(")", ","), dtype=np.int64, sep=",")
    return numbers.reshape(-1, dimensions)
