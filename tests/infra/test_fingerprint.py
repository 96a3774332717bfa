from pathlib import Path

import pytest

from infra.errors import StoreError
from infra.fingerprint import SourceTree, code_fingerprint

FILES = {
    "alpha/__init__.py": "",
    "alpha/used.py": (
        '"""Doc."""\nfrom alpha import helper\nimport json\n\ndef f():\n    """Says."""\n    return helper.g()\n'
    ),
    "alpha/helper.py": "from .deep import leaf\nfrom beta.late import early\n\ndef g():\n    return leaf.h()\n",
    "alpha/deep/__init__.py": "LEVEL = 1\n",
    "alpha/deep/leaf.py": "def h():\n    from beta import lazily\n    return lazily.k()\n",
    "alpha/unused.py": "x = 1\n",
    "beta/__init__.py": "",
    "beta/lazily.py": 'import importlib\n\ndef k():\n    return importlib.import_module("beta.named").z\n',
    "beta/late.py": "from . import sibling\nfrom alpha import later\n\nearly = 1\n",
    "beta/sibling.py": "import alpha.used\n",
    "beta/named.py": "z = 1\n",
    "beta/unused.py": "x = 1\n",
}
USED = {"alpha", "alpha.used", "alpha.helper", "alpha.deep", "alpha.deep.leaf"} | {
    "beta", "beta.lazily", "beta.late", "beta.sibling", "beta.named"
}  # fmt: skip


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, code in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(code)
    return tmp_path


def fingerprint(sources: Path, *modules: str) -> str:
    return SourceTree({name: sources / name for name in ("alpha", "beta")}).fingerprint(*(modules or ("alpha.used",)))


def test_imports_are_followed_wherever_they_stand(sources: Path):
    tree = SourceTree({name: sources / name for name in ("alpha", "beta")})
    assert tree.reachable("alpha.used") == USED


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_fingerprint_changes_exactly_when_code_that_is_used_changes(sources: Path, name: str):
    before = fingerprint(sources)
    (sources / name).write_text(FILES[name] + "\nadded = 1\n")
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert (fingerprint(sources) != before) == (module in USED)


def test_comments_docstrings_and_layout_do_not_count(sources: Path):
    before = fingerprint(sources)
    (sources / "alpha/used.py").write_text(
        "# why\nfrom alpha import (\n    helper,\n)\nimport json\n"
        "def f():\n    'Other words.'\n    return (helper.g())  # so\n"
    )
    assert fingerprint(sources) == before
    (sources / "alpha/used.py").write_text(FILES["alpha/used.py"].replace("helper.g()", "helper.g() + 1"))
    assert fingerprint(sources) != before


def test_a_name_that_becomes_a_module_counts_from_then_on(sources: Path):
    before = fingerprint(sources)
    (sources / "alpha/later.py").write_text("")
    assert fingerprint(sources) != before


def test_the_order_of_names_does_not_matter(sources: Path):
    assert fingerprint(sources, "alpha.unused", "beta.unused") == fingerprint(sources, "beta.unused", "alpha.unused")


def test_an_unknown_module_is_refused(sources: Path):
    with pytest.raises(StoreError, match=r"no module 'alpha\.mistyped'"):
        fingerprint(sources, "alpha.mistyped")


def test_our_own_packages_are_found():
    assert code_fingerprint("infra.store") == code_fingerprint("infra.store") != code_fingerprint("infra.files")
