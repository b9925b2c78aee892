"""Where the options of a part are declared a second time, read off the source."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MOST = 3
"""As many options of one part may be named together elsewhere."""

GIVEN = (
    ("shapes",), ("shape", "channels"), ("channels",), ("outputs",), ("labels",), ("task",), ("part",), ("statistics",),
    ("tasks",), ("groups",), ("steps",), ("stream", "stored", "network"),
)  # fmt: skip
"""What the program hands over to the parts of each kind."""


class Again(NamedTuple):
    """A class or a dict that names more than `MOST` options of one part."""

    file: str
    line: int
    part: str
    options: frozenset[str]


def parts_in(tree: ast.Module) -> Iterator[tuple[str, ast.AST, frozenset[str]]]:
    """(name, node, keyword-only options) of every public function, and of every public class's constructor."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            made: ast.FunctionDef | None = node
        elif isinstance(node, ast.ClassDef):
            made = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
        else:
            continue
        if made is None or node.name.startswith("_"):
            continue
        before = tuple(argument.arg for argument in (*made.args.posonlyargs, *made.args.args) if argument.arg != "self")
        if any(before == given[: len(before)] for given in GIVEN):  # else a tool of the room, no part
            yield node.name, node, frozenset(argument.arg for argument in made.args.kwonlyargs)


def names_in(room: Path) -> frozenset[str]:
    """What a room offers: the text in its `__all__`, and what it imports under its own name."""
    tree = ast.parse(room.read_text(encoding="utf-8"))
    imported = {alias.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    stated = [node for node in tree.body if isinstance(node, ast.Assign)]
    return frozenset(name for name in imported if name) | frozenset(
        one.value
        for node in stated
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.isidentifier()
    )


def declared_in(tree: ast.Module) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Every class with annotated fields and every dict literal, with the names that it has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = [one.target for one in node.body if isinstance(one, ast.AnnAssign)]
            yield node, frozenset(field.id for field in fields if isinstance(field, ast.Name))
        elif isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            if "use" not in keys:  # a part written down: it gives values
                yield node, frozenset(keys)


def declared_again(source: Path, *, public: frozenset[str], left_out: tuple[str, ...] = ()) -> list[Again]:
    """Classes and dicts that name more than `MOST` options of one part.

    Args:
        source: The folder of a package.
        public: The names of the parts.
        left_out: Folders and files in it where options are given values and not declared.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(source.rglob("*.py"))}
    parts = [found for tree in trees.values() for found in parts_in(tree) if found[0] in public]
    found = []
    for path, tree in trees.items():
        file = path.relative_to(source).as_posix()
        if file.startswith(left_out):
            continue
        for node, names in declared_in(tree):
            for name, part, options in parts:
                both = names & options
                if len(both) > MOST and not _within(node, part):
                    found.append(Again(file, node.lineno, name, both))  # type: ignore[attr-defined]
    return found


def _within(node: ast.AST, part: ast.AST) -> bool:
    """Whether a node is the part itself or stands in its own body: there its options are used, not declared."""
    return any(one is node for one in ast.walk(part))
