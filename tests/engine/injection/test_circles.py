"""No two files of the injection need each other, not even for the names of types."""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp


def test_there_are_no_circles_of_files() -> None:
    graph = grimp.build_graph("engine", exclude_type_checking_imports=False, cache_dir=None)
    modules = {name for name in graph.modules if name.startswith("engine.injection")}
    imports = {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}
    assert len(list(TopologicalSorter(imports).static_order())) == len(modules)  # a circle raises, and is named
