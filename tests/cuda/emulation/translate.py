"""Rewrites what CUDA C++ has beyond C++, for tests/cuda/emulation: launches, and shared memory sized at launch.

Arguments: SOURCE.cu TARGET.cpp
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def closing(text: str, opening: int) -> int:
    """The place of the parenthesis that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError("a parenthesis is not closed")


def launches(text: str) -> str:
    """`kernel<<<shape>>>(arguments)` becomes a call of emulation::launch. Launches are statements of their own."""
    while (begin := text.find("<<<")) >= 0:
        end = text.index(">>>", begin)
        opening = text.index("(", end)
        close = closing(text, opening)
        start = max(text.rfind(mark, 0, begin) for mark in ";{}") + 1
        start += len(text[start:begin]) - len(text[start:begin].lstrip())
        kernel = text[start:begin].strip()
        call = "[=](auto... values) { " + kernel + "(values...); }"
        shape, arguments = text[begin + 3 : end], text[opening + 1 : close]
        text = f"{text[:start]}::emulation::launch({{{shape}}}, {call}, {arguments}){text[close + 1 :]}"
    return text


def translate(text: str) -> str:
    shared = re.compile(r"extern __shared__ ([\w:]+) (\w+)\[\];")
    text = shared.sub(r"auto* const \2 = static_cast<\1*>(::emulation::dynamic_shared_memory());", text)
    return launches(text)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(f'#line 1 "{source}"\n{translate(source.read_text())}')
