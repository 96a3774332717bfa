"""Which code a stage uses: a hash over the modules it names and everything first-party they import.

Imports are read from the syntax tree, also those inside functions and `import_module("a literal name")`; a name that
is computed at run time is not seen and must be named by the caller. Comments, docstrings and layout do not count.
"""

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.errors import StoreError

ROOMS = ("flows", "tasks", "models", "registry", "expectations", "infra")


@functools.cache
def code_fingerprint(*modules: str) -> str:
    """SHA-256 of the code behind `modules` (dotted names in our six packages); read once a process."""
    return SourceTree(_installed(ROOMS)).fingerprint(*modules)


class SourceTree:
    """First-party packages by name and folder."""

    def __init__(self, packages: Mapping[str, Path]) -> None:
        self._packages = dict(packages)
        self._parsed: dict[str, tuple[str, frozenset[str]]] = {}

    def fingerprint(self, *modules: str) -> str:
        """SHA-256 over the sources of `modules` and their transitive imports; raises `StoreError` on an unknown one."""
        for module in modules:
            if self._file(module) is None:
                raise StoreError(f"no module {module!r} to fingerprint; have packages {', '.join(self._packages)}")
        digest = hashlib.sha256()
        for module in sorted(self.reachable(*modules)):
            digest.update(f"{module}\0{self._parse(module)[0]}\0".encode())
        return digest.hexdigest()

    def reachable(self, *modules: str) -> frozenset[str]:
        """The modules themselves and every first-party module they import, packages on the way included."""
        found: set[str] = set()
        waiting = [part for module in modules for part in _with_parents(module)]
        while waiting:
            module = waiting.pop()
            if module not in found and self._file(module) is not None:
                found.add(module)
                waiting.extend(part for name in self._parse(module)[1] for part in _with_parents(name))
        return frozenset(found)

    def _file(self, module: str) -> Path | None:
        top, *rest = module.split(".")
        if top not in self._packages:
            return None
        path = self._packages[top].joinpath(*rest)
        candidates = (path / "__init__.py", path.with_suffix(".py"))
        return next((candidate for candidate in candidates if candidate.is_file()), None)

    def _parse(self, module: str) -> tuple[str, frozenset[str]]:
        """The module's code without docstrings and comments, and the dotted names it may import."""
        if module not in self._parsed:
            file = self._file(module)
            assert file is not None  # noqa: S101 - callers ask only for modules that `_file` knows
            tree = ast.parse(file.read_bytes(), str(file))
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            names = frozenset(name for node in ast.walk(tree) for name in _imports(node, package))
            self._parsed[module] = (ast.unparse(_Bare().visit(tree)), names)
        return self._parsed[module]


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            parts = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            base = ".".join([*parts, *([module] if module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in names)
        case ast.Call(
            func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield name
        case _:
            return


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


class _Bare(ast.NodeTransformer):
    """Drops docstrings and other bare strings: they change no result."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """The statement, unless it is a bare string; a body may end up empty, the text is only hashed."""
        bare = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if bare else node


def _installed(names: tuple[str, ...]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            folders[name] = Path(spec.origin).parent
    return folders
