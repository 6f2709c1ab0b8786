"""YAML with the line of every value, so that a message can point at it."""

from typing import Any

import yaml

MAX_BYTES = 5_000_000
MAX_DEPTH = 30

Lines = dict[tuple[str | int, ...], int]


class YamlProblem(Exception):
    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read_yaml(content: bytes) -> tuple[Any, Lines]:
    """The content as plain lists, dicts and values, and path -> line; raises YamlProblem.

    Anchors and aliases are refused (a few lines of them unfold into gigabytes), names given twice
    too.
    """
    text = checked_text(content)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise YamlProblem(
                    "anchors and aliases (& and *) are not read; write the value out",
                    event.start_mark.line + 1,
                )
        lines: Lines = {}
        walk(yaml.compose(text, Loader=yaml.SafeLoader), (), lines)
        return yaml.safe_load(text), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise YamlProblem(
            f"is no proper YAML: {error.problem}", mark.line + 1 if mark else None
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise YamlProblem(f"is no proper YAML: {str(error).splitlines()[0]}") from error


def checked_text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise YamlProblem(f"is too large ({len(content):,} bytes; at most {MAX_BYTES:,})")
    if b"\0" in content:
        raise YamlProblem(
            "holds a NUL character, which no text may have",
            content[: content.index(b"\0")].count(b"\n") + 1,
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlProblem("is not UTF-8 text", content[: error.start].count(b"\n") + 1) from error


def walk(node: yaml.Node | None, path: tuple[str | int, ...], lines: Lines) -> None:
    if node is None:
        return
    if len(path) > MAX_DEPTH:
        raise YamlProblem("is nested too deeply", node.start_mark.line + 1)
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            walk(item, (*path, place), lines)
    if isinstance(node, yaml.MappingNode):
        names = set()
        for name, value in node.value:
            if name.value in names:
                raise YamlProblem(f"names {name.value} twice", name.start_mark.line + 1)
            names.add(name.value)
            walk(value, (*path, name.value), lines)
            # the line of the name, since the value of a mapping begins on the line after it
            lines[(*path, name.value)] = name.start_mark.line + 1
