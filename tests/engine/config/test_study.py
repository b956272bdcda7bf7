"""A study expands to its members, and says which one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config.study import MOST_MEMBERS, load_study
from engine.errors import ConfigError

BASE = 'name = "s"\n[model]\narch = "lenet5"\n[dataset]\nname = "mnist"\n'
SAMPLE = Path(__file__).parents[3] / "sample_configs" / "studies" / "paper.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text)
    return path


def test_members_are_all_combinations_the_last_key_fastest(tmp_path: Path) -> None:
    study = load_study(
        written(tmp_path, BASE + '[vary]\n"faults.seed" = [1, 2]\n"workload.select" = ["all", "pre_plateau"]\n')
    )
    assert study.name == "s"
    assert [dict(member.factors) for member in study.members] == [
        {"faults.seed": seed, "workload.select": select} for seed in (1, 2) for select in ("all", "pre_plateau")
    ]
    assert [(each.config.faults.seed, each.config.workload.select) for each in study.members] == [
        (1, "all"),
        (1, "pre_plateau"),
        (2, "all"),
        (2, "pre_plateau"),
    ]
    assert study.members[0].config.name == "s 1 all"


def test_ranges_hold_their_ends(tmp_path: Path) -> None:
    study = load_study(written(tmp_path, BASE + '[vary]\n"faults.seed" = { from = 3, to = 8, step = 2 }\n'))
    assert [each.config.faults.seed for each in study.members] == [3, 5, 7]


def test_tables_that_go_together_vary_together(tmp_path: Path) -> None:
    text = BASE + (
        '[[vary.sample]]\nname = "few"\nfaults = { count = 10 }\nworkload = { select = "top_n", n = 3 }\n'
        '[[vary.sample]]\nname = "many"\nfaults = { count = 90 }\n'
    )
    few, many = load_study(written(tmp_path, text)).members
    assert (few.factors, few.config.faults.count, few.config.workload.n) == ({"sample": "few"}, 10, 3)
    assert (many.config.faults.count, many.config.workload.select) == (90, "all")


def test_lists_are_values_of_keys_that_hold_lists(tmp_path: Path) -> None:
    study = load_study(written(tmp_path, BASE + '[vary]\n"faults.bits" = [[30], [30, 31]]\n'))
    assert [each.config.faults.bits for each in study.members] == [(30,), (30, 31)]


def test_paths_start_at_the_studys_folder(tmp_path: Path) -> None:
    (tmp_path / "faults.csv").write_text("layer,weight_index,bit\nfc1,0,30\n")
    text = BASE + '[faults]\nsampling = "list"\n[vary]\n"faults.list" = ["faults.csv"]\n'
    assert load_study(written(tmp_path, text)).members[0].config.faults.list == tmp_path / "faults.csv"


def test_the_sample_is_the_papers() -> None:
    study = load_study(SAMPLE)
    assert len(study.members) == 4 * 4
    assert {each.config.faults.seed for each in study.members} == {1, 2, 3, 4}
    assert {each.config.workload.select for each in study.members} == {"all", "central", "pre_plateau", "random"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BASE, '[vary] is missing; say what varies, for example "faults.seed" = [1, 2, 3]'),
        (BASE + "[vary]\n", "[vary] is missing"),
        (BASE + "vary = 3\n", "[vary] is missing"),
        (BASE + '[vary]\n"faults.seed" = []\n', "[vary] faults.seed: should be a list with at least one value"),
        (BASE + '[vary]\n"faults.seed" = 3\n', "[vary] faults.seed: should be a list with at least one value"),
        (BASE + '[vary]\n"faults.seed" = { from = 5, to = 1 }\n', "[vary] faults.seed: a range is"),
        (BASE + '[vary]\n"faults.seed" = { from = 5, upto = 9 }\n', "[vary] faults.seed: a range is"),
        (BASE + '[vary]\n"faults.seed" = { from = 1, to = 100000000000 }\n', "the range has more than 1,000 values"),
        (BASE + "[vary]\nseed = [1, 2]\n", "[vary] seed, item 1: should be a table with a name and what goes with it"),
        (BASE + "[[vary.net]]\nmodel = { arch = 'lenet5' }\n", "[vary] net, item 1: should be a table with a name"),
        (
            BASE + '[vary]\n"faults.seed" = [1, -2]\n',
            "the member with faults.seed = -2: [faults] seed: should be at least 0, but is -2",
        ),
        (BASE + '[vary]\n"faults.sed" = [1]\n', "the member with faults.sed = 1: [faults] sed: "),
        ('[vary]\n"faults.seed" = [1]\n', "the member with faults.seed = 1: name: missing"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_member(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load_study(path)
    assert any(problem.startswith(str(path)) and said in problem for problem in refused.value.problems), refused.value


def test_too_many_members_are_no_study(tmp_path: Path) -> None:
    seeds = "{ from = 1, to = 40 }"
    text = BASE + f'[vary]\n"faults.seed" = {seeds}\n"workload.seed" = {seeds}\n'
    with pytest.raises(ConfigError, match=rf"asks for 1,600 campaigns; at most {MOST_MEMBERS:,} are one study"):
        load_study(written(tmp_path, text))
