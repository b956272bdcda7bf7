"""Modules of one config's folder never stand in for another's, whatever kind of package they are in."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from engine.models.factory import call_factory
from engine.models.imports import importable_from

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = "from torch import nn\ndef make():\n    return nn.Linear({size}, 1)\n"


def write(folder: Path, **files: str) -> Path:
    """Write modules by their dotted names with __ for dots; packages get no __init__.py by themselves."""
    for name, text in files.items():
        file = folder.joinpath(*name.split("__")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def made_size(arch: str, folder: Path) -> int:
    weight = call_factory(arch, folder).model.get_parameter("weight")
    return weight.shape[1]


@pytest.mark.parametrize(
    "init", [{}, {"pkg__init": ""}, {"pkg__sub__init": ""}, {"pkg__init": "", "pkg__sub__init": ""}]
)
def test_packages_with_and_without_init_do_not_mix(tmp_path: Path, init: dict[str, str]) -> None:
    known, path = set(sys.modules), list(sys.path)
    for size in (2, 3):
        write(tmp_path / str(size), pkg__sub__net=NETWORK.format(size=size))
        for name in init:
            place = tmp_path.joinpath(str(size), *name.split("__")[:-1])
            (place / "__init__.py").touch()
    for size in (2, 3, 2, 2):
        assert made_size("pkg.sub.net:make", tmp_path / str(size)) == size
    assert not {name for name in set(sys.modules) - known if name.startswith("pkg")}
    assert sys.path == path


def test_the_source_counts_whatever_the_kind_of_package(tmp_path: Path) -> None:
    hashes = []
    for size in (2, 2, 3):
        write(tmp_path, pkg__net="from pkg.inner.made import make", pkg__inner__made=NETWORK.format(size=size))
        hashes.append(call_factory("pkg.net:make", tmp_path).source_sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_module_imported_from_elsewhere_does_not_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = write(tmp_path / "elsewhere", nets__first=NETWORK.format(size=7), helper="SIZE = 7")
    (elsewhere / "nets" / "__init__.py").touch()
    folder = write(
        tmp_path / "folder", nets__first="import helper\n" + NETWORK.format(size="helper.SIZE"), helper="SIZE = 4"
    )
    (folder / "nets" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(elsewhere))
    other = importlib.import_module("nets.first")
    helper = importlib.import_module("helper")
    try:
        assert made_size("nets.first:make", folder) == 4
        assert sys.modules["nets.first"] is other
        assert sys.modules["helper"] is helper
    finally:
        for name in ("nets", "nets.first", "helper"):
            del sys.modules[name]


def test_a_folder_that_is_named_as_a_library_does_not_hide_it(tmp_path: Path) -> None:
    write(tmp_path, net=NETWORK.format(size=2), torch__notes="", numpy__notes="")
    assert made_size("net:make", tmp_path) == 2
    write(tmp_path, random="raise ValueError")
    assert made_size("net:make", tmp_path) == 2


def test_a_folder_that_the_users_code_adds_is_taken_out_again(tmp_path: Path) -> None:
    add = (
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent / 'src'))\nfrom inner import make\n"
    )
    for size in (2, 3):
        write(tmp_path / str(size), net=add, src__inner=NETWORK.format(size=size))
    for size in (2, 3):
        assert made_size("net:make", tmp_path / str(size)) == size
    assert "inner" not in sys.modules


def test_an_environment_inside_the_folder_keeps_its_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = write(tmp_path / "venv" / "lib", some_library="")
    monkeypatch.syspath_prepend(str(library))
    write(tmp_path, net="import some_library\n" + NETWORK.format(size=2))
    try:
        assert made_size("net:make", tmp_path) == 2
        assert "some_library" in sys.modules
        assert "net" not in sys.modules
    finally:
        sys.modules.pop("some_library", None)


def test_parts_of_a_shared_package_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(write(tmp_path / "elsewhere", shared_names__known="")))
    shared = importlib.import_module("shared_names.known")
    try:
        for size in (2, 3):
            folder = write(tmp_path / str(size), shared_names__net=NETWORK.format(size=size))
            with importable_from(folder):
                importlib.import_module("shared_names.net")
                assert hasattr(sys.modules["shared_names"], "net")
            assert not hasattr(sys.modules["shared_names"], "net")
            assert made_size("shared_names.net:make", folder) == size
        assert sys.modules["shared_names.known"] is shared
    finally:
        for name in ("shared_names", "shared_names.known"):
            del sys.modules[name]


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    known, path = set(sys.modules), list(sys.path)
    write(tmp_path, broken__inner="", broken__net="import broken.inner\nraise ValueError('no')")
    with importable_from(tmp_path) as imported:
        with pytest.raises(ValueError, match="no"):
            importlib.import_module("broken.net")
        assert imported() == {"broken", "broken.inner"}
    assert set(sys.modules) == known
    assert sys.path == path
