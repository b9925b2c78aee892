"""Which room may import which, how long files and functions may be, and what `import taskweave` costs."""

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "taskweave"
BESIDE = [ROOT / name for name in ("tests", "benchmarks", "examples", "docs")]
GROUND = {"features", "images", "files", "progress", "parts", "lazy"}  # the files beside the rooms
LIBRARY = {"weaving", "networks", "streams", "units", "tasks", "weighting", "data", "metrics"} | GROUND
ARROWS = {
    "features": set(),
    "images": set(),
    "files": set(),
    "progress": set(),
    "parts": set(),
    "lazy": set(),
    "units": GROUND,
    "streams": GROUND,
    "weaving": {"units", "streams"} | GROUND,
    "heads": GROUND,
    "networks": {"weaving", "units", "streams", "heads"} | GROUND,
    "metrics": GROUND,
    "tasks": {"heads", "metrics"} | GROUND,
    "weighting": GROUND,
    "data": GROUND,
    "training": LIBRARY,
    "results": {"metrics"} | GROUND,
    "experiments": LIBRARY | {"heads", "training", "results"},
    "reporting": {"results", "metrics"} | GROUND,  # files alone
    "recipes": {"experiments", "results", "training", "heads"} | GROUND,  # anchors are part of what a protocol states
    "cli": LIBRARY | {"training", "experiments", "results", "reporting", "recipes"},
}
LONG_FILE, LONG_FUNCTION, FULL_FOLDER = 300, 45, 25


def room_of(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def imports_of(source: str, room: str) -> set[str]:
    """The rooms of taskweave that a source file imports, other than its own."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module == "taskweave":
            names = [f"taskweave.{alias.name}" for alias in node.names if alias.name in ARROWS]
        found |= {room_of(name) for name in names if name.startswith("taskweave.")}
    return found - {room}


def long_functions(source: str) -> list[tuple[str, int]]:
    """Functions over the limit, the docstring not counted."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            first = node.body[0]
            skipped = (first.end_lineno or 0) - first.lineno + 1 if docstring is not None else 0
            length = (node.end_lineno or 0) - node.lineno + 1 - skipped
            if length > LONG_FUNCTION:
                found.append((node.name, length))
    return found


def python_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def needed_by(files: dict[str, str]) -> dict[str, set[str]]:
    """{module: the modules of taskweave that it imports as it is imported itself}. files: {module: source}."""
    found: dict[str, set[str]] = {}
    for module, source in files.items():
        found[module] = set()
        for node in ast.parse(source).body:
            if isinstance(node, ast.ImportFrom) and node.module in {"taskweave", *files}:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found[module] |= {name if name in files else node.module for name in inner} - {module}
    return found


def circle_in(needed: dict[str, set[str]]) -> list[str]:
    """The modules of a circle of imports; [] where there is none."""
    left = {module: set(others) & needed.keys() for module, others in needed.items()}
    while free := [module for module, others in left.items() if not others]:
        for module in free:
            del left[module]
        left = {module: others - set(free) for module, others in left.items()}
    return sorted(left)


def long_files(paths: Iterable[Path]) -> list[tuple[str, int]]:
    """Files over the limit, and their lines."""
    lengths = ((path, len(path.read_text().splitlines())) for path in paths)
    return [(path.name, length) for path, length in lengths if length > LONG_FILE]


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_house_rules_of_a_file(path: Path) -> None:
    source = path.read_text()
    assert not long_files([path]), f"{path} is longer than {LONG_FILE} lines: split it"
    assert not long_functions(source), f"functions of {path} over {LONG_FUNCTION} lines: {long_functions(source)}"
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if room != "__init__":
        forbidden = imports_of(source, room) - ARROWS[room]
        assert not forbidden, f"{path} (room {room}) may not import {forbidden}; it may import {ARROWS[room]}"


def test_no_circle_between_files() -> None:
    modules = {".".join(("taskweave", *path.relative_to(SOURCE).with_suffix("").parts)): path for path in python_files()}
    files = {module.removesuffix(".__init__"): path.read_text() for module, path in modules.items()}
    assert circle_in(needed_by(files)) == []
    two = {"taskweave.a": "from taskweave.b import B\n", "taskweave.b": "from taskweave.a import A\n", "taskweave.c": ""}
    assert circle_in(needed_by(two)) == ["taskweave.a", "taskweave.b"], "the test can fail"


def test_no_folder_is_too_full() -> None:
    folders = {path.parent for path in python_files()}
    assert {str(f): n for f in folders if (n := len(list(f.glob("*.py")))) > FULL_FOLDER} == {}


def test_no_file_beside_the_source_is_too_long() -> None:
    paths = [path for folder in BESIDE for path in sorted(folder.rglob("*.py"))]
    assert {path.relative_to(ROOT).parts[0] for path in paths} >= {"tests", "benchmarks"}
    assert not long_files(paths), f"longer than {LONG_FILE} lines, split them by subject: {long_files(paths)}"


def test_the_checks_can_fail(tmp_path: Path) -> None:
    for length in (LONG_FILE, LONG_FILE + 1):
        (tmp_path / f"{length}.py").write_text("x = 1\n" * length)
    assert long_files(sorted(tmp_path.iterdir())) == [(f"{LONG_FILE + 1}.py", LONG_FILE + 1)]
    assert imports_of("from taskweave.cli import app\nimport taskweave.data.sample", "units") == {"cli", "data"}
    assert imports_of("from taskweave import training", "units") == {"training"}
    long = "def f():\n" + "    x = 1\n" * 50
    assert long_functions(long) == [("f", 51)]
    documented = 'def f():\n    """' + "word\n" * 60 + '"""\n    return 1\n'
    assert long_functions(documented) == []


def test_no_room_is_missing_an_arrow() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= set(ARROWS)


HEAVY = (
    "timm", "torchvision", "torchmetrics", "lightning", "matplotlib", "h5py", "pydantic", "torchjd", "cvxpy", "scipy",
    "jinja2", "ray", "filelock",
)  # fmt: skip


def loaded_by(code: str, *libraries: str) -> str:
    """Which of some libraries a fresh interpreter has after some code."""
    code = f"import sys\n{code}\nprint([m for m in {libraries} if m in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_costs_little_more_than_torch() -> None:
    """Beside torch and what torch itself loads, `import taskweave` loads a few small files of ours and nothing else."""
    code = "import sys, torch\nbefore = set(sys.modules)\nimport taskweave\nprint(*sorted(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "taskweave" in found
    assert [module for module in found if module.split(".")[0] != "taskweave"] == []
    assert len(found) < 20


def test_import_pulls_in_no_heavy_library() -> None:
    assert loaded_by("import taskweave, taskweave.weighting", *HEAVY) == "[]"


def test_the_command_says_what_it_does_without_a_library() -> None:
    """`taskweave --help` and every command's take half a second: they import typer alone."""
    assert loaded_by("import taskweave.cli.app", "torch", "numpy", "yaml", "rich", *HEAVY) == "[]"
    assert loaded_by("import yaml", "torch", "yaml") == "['yaml']", "the check can fail"


def test_every_public_name_exists() -> None:
    import taskweave

    for name in taskweave.__all__:
        assert getattr(taskweave, name) is not None
    with pytest.raises(AttributeError, match="CrossStich"):
        taskweave.CrossStich  # noqa: B018


def test_type_checkers_and_editors_know_every_public_name() -> None:
    import taskweave

    tree = ast.parse((SOURCE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    known = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert known == set(taskweave.__all__) - {"__version__"}
