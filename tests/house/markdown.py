"""Fenced blocks of a Markdown page, for the tests that run what the pages show."""
import re
from typing import NamedTuple

FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=fence) *$", re.M | re.S)


class Block(NamedTuple):
    info: str  # what stands behind the fence: "sh run", "text output", "cpp file=main.cc"
    text: str
    line: int


def blocks(page):
    return [Block(found.group("info").strip(), found.group("text"),
                  page.count("\n", 0, found.start()) + 1) for found in FENCE.finditer(page)]


def matches(expected, actual):
    """Equal line by line; a line `...` stands for any number of lines."""
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()) + r"\n"
                      for line in expected.rstrip("\n").split("\n"))
    text = "".join(line.rstrip() + "\n" for line in actual.rstrip("\n").split("\n"))
    return re.fullmatch(pattern, text) is not None
