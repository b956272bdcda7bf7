"""What a form offers is what the checking models take, no more and no less."""

from typing import Any

import pytest
from pydantic import BaseModel

from engine.config.campaign_config import NETWORKS, CampaignConfig, WorkloadConfig, check_config
from engine.config.fields import applies, config_fields
from engine.config.problems import Problem
from engine.config.words import CHOICES, LABELS, SECTIONS
from engine.faults.designs.design import OPTIONS
from engine.faults.designs.registry import SAMPLINGS
from engine.models.torchvision_cnn import torchvision_names


def test_every_key_of_the_models_has_a_field_that_says_what_it_means() -> None:
    annotations = {name: info.annotation for name, info in CampaignConfig.model_fields.items()}
    sections = {name: one.model_fields for name, one in annotations.items()
                if isinstance(one, type) and issubclass(one, BaseModel)}  # fmt: skip
    places = [(section, key) for section, fields in sections.items() for key in fields]
    assert [(one.section, one.key) for one in config_fields()] == [("", "name"), *places]
    assert all(one.help for one in config_fields())


@pytest.mark.parametrize(
    ("place", "kind", "is_list"),
    [
        (("model", "weights"), "path", False), (("dataset", "mean"), "number", True),
        (("faults", "bits"), "whole", True),
        (("run", "tf32"), "flag", False), (("workload", "select"), "choice", False), (("", "name"), "text", False),
        (("workload", "center"), "number", False), (("faults", "list"), "path", False),
    ],
)  # fmt: skip
def test_kinds_follow_the_annotations(place: tuple[str, str], kind: str, is_list: bool) -> None:
    one = next(one for one in config_fields() if (one.section, one.key) == place)
    assert (one.kind, one.is_list) == (kind, is_list)


def test_what_applies_is_never_refused_for_not_applying() -> None:
    """And what does not, but for margin and population, whose values then have no effect, is refused."""
    base = {"name": "x", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}}
    values = {"width": 0.5, "path": "/", "list": "/x.csv", "count": 3, "n": 3, "fraction": 0.1, "center": 0.2,
              "eps": 0.1, "threshold": 0.1, "seed": 7, "error_margin": 0.02, "p": [0.1] * 32,
              "draw": "published"}  # fmt: skip
    for sampling in SAMPLINGS:
        for select in ("all", "top_n", "fraction", "central", "pre_plateau", "nonzero", "random", "list"):
            tables: dict[str, Any] = base | {"faults": {"sampling": sampling}, "workload": {"select": select}}
            of_faults = ("count", "p", "draw") if sampling == "list" else OPTIONS
            for section, key in (
                ("model", "width"),
                *(("faults", key) for key in of_faults),
                *(("workload", key) for key in values),
            ):
                if key not in (values if section != "workload" else WorkloadConfig.model_fields):
                    continue
                tried = tables | {section: tables[section] | {key: values[key]}}
                problems = check_config(tried)
                refused = isinstance(problems, list) and any(
                    problem.key == key and "does not apply" in problem.reason for problem in problems
                )
                assert refused != applies(section, key, tables), (section, key, sampling, select)


@pytest.mark.parametrize("method", ["exact", "fast", "screened"])
@pytest.mark.parametrize(
    ("key", "value", "wrong"), [("theta", 0.2, 0), ("theta2", 0.2, 0), ("audit", 1e-4, 1), ("audit_faults", 0.5, 0)]
)
def test_options_of_screening_apply_where_pairs_are_left_out(key: str, value: float, wrong: float, method: str) -> None:
    tables = {"name": "x", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}, "run": {"method": method}}

    def reasons(of: float) -> list[str]:
        problems = check_config(tables | {"run": {"method": method, key: float(of)}})
        return [problem.reason for problem in problems if problem.key == key] if isinstance(problems, list) else []

    assert applies("run", key, tables) == (method == "screened")
    assert [reason.split(";")[0] for reason in reasons(value)] == [f'does not apply to method = "{method}"'] * (
        method != "screened"
    )
    assert reasons(wrong)


def test_a_problem_names_section_key_and_item() -> None:
    problems = check_config({"name": "x", "typo": 1, "model": 3, "faults": {"bits": [3, 32]}})
    assert isinstance(problems, list)
    assert [(problem.section, problem.key, problem.item) for problem in problems] == [
        ("model", "", ""), ("dataset", "", ""), ("faults", "bits", "item 2"), ("", "typo", ""),
    ]  # fmt: skip
    assert str(Problem("faults", "bits", "item 2", "is wrong")) == "[faults] bits, item 2: is wrong"
    assert str(Problem("faults", "", "", "is wrong")) == "[faults]: is wrong"


def test_every_key_has_a_label_that_fits_beside_its_field() -> None:
    fields = config_fields()
    assert set(LABELS) == {(one.section, one.key) for one in fields}
    assert set(SECTIONS) == {one.section for one in fields}
    assert max(len(one.label) for one in fields) <= 17


def test_every_choice_says_what_it_means_and_nothing_else_is_said() -> None:
    fields = {(one.section, one.key): one for one in config_fields()}
    for one in fields.values():
        if one.kind == "choice":
            assert list(one.meanings) == list(one.choices), one.key
    for place, meanings in CHOICES.items():
        known = ("false", "true") if fields[place].kind == "flag" else fields[place].choices
        assert set(meanings) <= set(known), place
        assert all(" " in meaning for meaning in meanings.values()), place


def test_torchvisions_names_are_those_that_it_knows() -> None:
    names = {f"torchvision:{name}" for name in torchvision_names()}
    arch = next(one for one in config_fields() if one.key == "arch")
    assert set(arch.choices) == {*NETWORKS, *names}
