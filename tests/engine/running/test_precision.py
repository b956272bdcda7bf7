"""A campaign that stops when it knows a rate well enough: what is left of it, and what becomes of it when it is cut."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from engine.analysis.campaign_results import campaign_results
from engine.config.campaign_config import load_config
from engine.errors import ConfigError, DearError
from engine.faults.waves import SHARES
from engine.running.blocks.audit_misses import Miss, find_misses
from engine.running.execution import execute, prepare_as_before
from engine.running.preparation import prepare
from engine.running.same_config import is_same_config
from engine.steps import nobody_waits
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.engine.running.test_campaign import Recorder, after, results, run
from tests.small_campaign import IMAGES, write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_thread")

DRAWN = 320


def precise(folder: Path, precision: float | None = 0.5, method: str = "exact", **run: Any) -> Path:
    faults = {"count": DRAWN, "bits": None}
    return write_config(folder, faults=faults, run={"precision": precision, "method": method, **run})


@pytest.fixture(scope="module")
def stopped(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorder]:  # noqa: ARG001
    """The store of a campaign that stops early, and what was said."""
    folder, recorder = tmp_path_factory.mktemp("stopped"), Recorder()
    assert run(precise(folder), folder / "store", recorder=recorder).state == "finished"
    return folder / "store", recorder


def query(store: Path, sql: str) -> list[tuple[Any, ...]]:
    with SqlSession(store) as session:
        return list(session.query(sql))


def test_it_stops_between_two_waves_and_says_so(stopped: tuple[Path, Recorder]) -> None:
    store, recorder = stopped
    with Store.open(store, read_only=True) as opened:
        status, description = opened.campaign(1), opened.description(1)
        found = campaign_results(opened.summary(1), description)
    assert status.faults in [DRAWN * share for share in SHARES[:-1]]
    assert (description["faults"], description["drawn"]) == (status.faults, DRAWN)
    assert (status.pairs_done, status.pairs) == (status.faults * IMAGES,) * 2
    assert found.precision in recorder.notes
    assert recorder.progress[-1].pairs_done == recorder.progress[-1].pairs == status.pairs
    assert recorder.progress[-1].critical == status.critical
    assert (status.has_stopped_early, status.drawn) == (True, DRAWN)
    assert str(found.precision).startswith(
        f"stopped after {status.faults} of {DRAWN} faults, because the 99 % interval"
    )
    share = found.shares["critical"]
    assert share.high - share.low <= 0.5
    assert found.confidence == 0.99


def test_what_ran_is_what_the_whole_campaign_finds_of_these_faults(
    stopped: tuple[Path, Recorder], tmp_path: Path
) -> None:
    store, _ = stopped
    run(precise(tmp_path, None), tmp_path / "store")
    severity = "SELECT fault_id, image_id, severity FROM severity ORDER BY ALL"
    ran, whole = query(store, severity), query(tmp_path / "store", severity)
    faults = {row[0] for row in ran}
    assert ran == [row for row in whole if row[0] in faults]
    assert 0 < len(faults) < DRAWN
    places = "SELECT fault_id, layer, weight_index, bit, golden_value FROM faults ORDER BY ALL"
    assert query(store, places) == [row for row in query(tmp_path / "store", places) if row[0] in faults]


def test_its_tables_agree_with_each_other(stopped: tuple[Path, Recorder]) -> None:
    store, _ = stopped
    ((faults,),) = query(store, "SELECT count(*) FROM faults")
    assert query(store, "SELECT faults, drawn, population FROM campaigns")[0][:2] == (faults, DRAWN)
    assert query(store, "SELECT count(*) FROM fault_summary") == [(faults,)]
    assert query(store, "SELECT DISTINCT masked + non_critical + critical FROM curve") == [(faults,)]
    assert query(store, "SELECT DISTINCT masked + non_critical + critical FROM image_summary") == [(faults,)]
    ((weights, population),) = query(
        store, "SELECT sum(weight), any_value(population) FROM faults JOIN campaigns USING (campaign)"
    )
    assert weights == pytest.approx(population)
    with Store.open(store) as opened, opened.lock():
        assert opened.curve(1).faults == faults
        assert sum(layer.faults for layer in opened.layers(1)) == faults
        assert opened.rates(1).faults.sum() == faults
        assert opened.verify(1, lambda *_: None) == []


def test_the_same_config_again_finds_it_finished_and_its_network_can_be_asked_again(
    stopped: tuple[Path, Recorder], tmp_path: Path
) -> None:
    store, recorder = stopped
    again = execute(prepare(load_config(precise(tmp_path))), store, recorder, lambda: False)
    assert (again.id, again.state) == (1, "finished")
    with Store.open(store, read_only=True) as opened:
        assert len(prepare_as_before(opened, 1, nobody_waits).faults) == again.faults


@pytest.mark.parametrize("groups", [1, 3, 8])
@pytest.mark.parametrize("method", ["exact", "screened"])
def test_stopped_by_hand_and_gone_on_with_it_ends_the_same(
    tmp_path: Path, stopped: tuple[Path, Recorder], groups: int, method: str
) -> None:
    config, store = precise(tmp_path, method=method), tmp_path / "store"
    assert run(config, store, after(groups)).state == "paused"
    assert run(config, store, after(2)).state in ("paused", "finished")
    assert run(config, store).state == "finished"
    if method == "exact":
        assert results(store) == results(stopped[0])


def _no_room(*_: Any, **__: Any) -> None:
    raise DearError("the process died here")


@pytest.mark.parametrize("place", ["engine.store.store.renew_campaign", "engine.store.store.read_fixed"])
def test_a_death_while_it_is_cut_is_made_good(
    tmp_path: Path, stopped: tuple[Path, Recorder], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    config, store = precise(tmp_path), tmp_path / "store"
    stop_early = Store.stop_early

    def dies(self: Store, *arguments: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(place, _no_room)
            stop_early(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "stop_early", dies)
        with pytest.raises(DearError, match="died here"):
            run(config, store)
    recorder = Recorder()
    assert run(config, store, recorder=recorder).state == "finished"
    assert not any("damaged" in note for note in recorder.notes)
    assert results(store) == results(stopped[0])
    with Store.open(store) as opened, opened.lock():
        assert opened.verify(1, lambda *_: None) == []


def test_a_damaged_part_of_a_campaign_that_has_stopped_is_computed_again(
    tmp_path: Path, stopped: tuple[Path, Recorder]
) -> None:
    config, store = precise(tmp_path), tmp_path / "store"
    run(config, store)
    part = sorted(store.glob("campaigns/campaign=000001/severity/part-*.parquet"))[0]
    part.write_bytes(part.read_bytes()[:-9] + b"123456789")
    with Store.open(store) as opened, opened.lock():
        assert opened.verify(1, lambda *_: None) != []
    finished = run(config, store)
    assert (finished.id, finished.state) == (1, "finished")
    assert results(store) == results(stopped[0])


def test_a_mended_audit_is_the_one_that_was_drawn(tmp_path: Path) -> None:
    """Other faults drawn for the mended parts would be taken for ones of all whose pairs were run."""
    config, store = precise(tmp_path, method="screened"), tmp_path / "store"
    run(config, store)
    audited = "SELECT fault_id, image_id, drawn_as, severity FROM audit ORDER BY ALL"
    before = query(store, audited)
    assert before
    parts = sorted(store.glob("campaigns/campaign=000001/severity/part-*.parquet"))
    parts[len(parts) // 2].unlink()
    with Store.open(store) as opened, opened.lock():
        opened.verify(1, lambda *_: None)
    assert run(config, store).state == "finished"
    assert query(store, audited) == before


@pytest.mark.parametrize(
    "changes",
    [{"run": {"precision": 0.50000001}}, {"faults": {"confidence": 0.8}}, {"run": {"precision_of": "faults"}}],
)
def test_what_decides_when_it_stops_makes_another_campaign(tmp_path: Path, changes: dict[str, Any]) -> None:
    base: dict[str, dict[str, Any]] = {"faults": {"count": DRAWN, "bits": None}, "run": {"precision": 0.5}}
    other = {table: {**values, **changes.get(table, {})} for table, values in base.items()}
    one, two = (prepare(load_config(write_config(tmp_path, **each))) for each in (base, other))
    assert one.fingerprint != two.fingerprint
    assert not is_same_config(one.config.to_json(), two.config.to_json()) or "run" in changes


def test_while_it_runs_the_curve_is_of_the_waves_that_are_done(tmp_path: Path) -> None:
    """And no image waits for the faults of the next wave."""
    store, seen, looks = tmp_path / "store", [], count()

    def look() -> bool:
        if next(looks) % 3:
            return False
        with Store.open(store, read_only=True) as opened:
            curve = opened.curve(1)
            seen.append((curve.faults, len(curve.critical)))
        return False

    run(precise(tmp_path, 0.001), store, look)
    assert {faults for faults, _ in seen} > {DRAWN * share for share in SHARES[:3]}
    assert {done for faults, done in seen if faults > DRAWN * SHARES[0]} == {IMAGES}


def test_one_reader_sees_the_campaign_before_and_after_it_stops(tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(precise(tmp_path), store, after(1))
    with Store.open(store, read_only=True) as opened:
        assert opened.rates(1).faults.sum() == DRAWN
        opened.curve(1), opened.layers(1), opened.image_counts(1)
        faults = run(precise(tmp_path), store).faults
        assert opened.rates(1).faults.sum() == opened.curve(1).faults == opened.image_counts(1).faults == faults


def test_a_precision_that_is_not_reached_runs_every_fault_and_says_what_is_missing(tmp_path: Path) -> None:
    recorder = Recorder()
    finished = run(precise(tmp_path, 0.001), tmp_path / "store", recorder=recorder)
    assert finished.faults == DRAWN
    assert any(note.endswith("(precision 0.1); a larger count draws more") for note in recorder.notes)
    on_the_way = [note for note in recorder.notes if note.endswith("; going on")]
    assert len(on_the_way) == len(SHARES) - 1
    assert on_the_way[0].startswith("after 10 of 320 faults the 99 % interval of critical pairs is ")


def test_a_miss_of_the_audit_is_mended_in_every_wave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Theta falls in the last wave: pairs of that layer are taken back in the first one, too."""
    told: list[Miss] = []

    def one_miss(prepared: Any, part: Any) -> list[Miss]:
        if part.fault_start >= DRAWN // 2 and not told:
            position = int(prepared.faults_in_execution_order().positions[part.fault_start])
            fault_id = int(prepared.faults.fault_id[position])
            told.append(Miss(int(prepared.faults.layer[position]), fault_id, 0, 0.2))
            return told
        return find_misses(prepared, part)

    monkeypatch.setattr("engine.running.campaign.find_misses", one_miss)
    store = tmp_path / "store"
    assert run(precise(tmp_path, 0.001, "screened"), store).state == "finished"
    assert told
    assert query(store, "SELECT DISTINCT masked + non_critical + critical + screened FROM image_summary") == [(DRAWN,)]


@pytest.mark.parametrize("of", ["pairs", "faults", "accuracy"])
def test_each_rate_can_be_the_one(tmp_path: Path, of: str) -> None:
    finished = run(precise(tmp_path, 0.6, precision_of=of), tmp_path / "store")
    assert finished.faults < DRAWN


def test_critical_faults_are_a_rate_of_their_own_goal(tmp_path: Path) -> None:
    goal = {"goal": "critical_faults", "precision_of": "faults"}
    finished = run(precise(tmp_path, 0.6, **goal), tmp_path / "store")
    assert (finished.state, finished.faults < DRAWN) == ("finished", True)


def _list(folder: Path) -> Path:
    (folder / "list.csv").write_text("Layer,TensorIndex,Bit\nconv1,(0;0;0;0),30\n")
    faults = {"count": None, "bits": None, "sampling": "list", "list": "list.csv"}
    return write_config(folder, faults=faults, run={"precision": 0.1})


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: precise(folder, 1.0), r"\[run\] precision: .*less than 1"),
        (lambda folder: precise(folder, 0.0), r"\[run\] precision: .*greater than 0"),
        (lambda folder: precise(folder, None, precision_of="faults"), r"\[run\] precision_of: .* without precision"),
        (lambda folder: precise(folder, goal="critical_faults"), r'precision_of: "pairs" is not known .*use "faults"'),
        (_list, r"\[run\] precision: does not apply to a list"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, make: Callable[[Path], Path], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load_config(make(tmp_path))
