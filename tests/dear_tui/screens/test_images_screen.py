"""The ranked list, the picture beside it, and each of its keys."""

from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from dear_tui.app import DearApp
from dear_tui.screens.images import ImagesScreen
from dear_tui.screens.results import ResultScreen
from dear_tui.widgets.common.filter_line import FilterLine
from dear_tui.widgets.common.row_list import RowList
from dear_tui.widgets.images.image_picture import ImagePicture
from engine.datasets.load import BUNDLED_MNIST
from engine.datasets.pictures import load_pictures
from engine.faults.group import FaultGroup
from engine.store.read.image_results import images_sql
from tests.dear_tui.memory_results import ResultSource, make_source, status_of
from tests.dear_tui.memory_store import make_app, open_screen, resize, screen_text, until, until_read, until_shown


async def open_images(pilot: Pilot[str], *keys: str) -> None:
    """Go to the images, wait for the picture, and press some keys one after the other."""
    await open_screen(pilot, "6", "▀▀▀▀")
    for key in keys:
        await pilot.press(key)
    await pilot.pause()


def rows(app: DearApp) -> RowList:
    return app.screen.query_one(RowList)


def drawn(app: DearApp) -> np.ndarray:
    """The grey levels of the picture on the screen, row by row."""
    picture = app.screen.query_one(ImagePicture)
    lines = []
    for y in range(picture.size.height):
        cells = [segment.style for segment in picture.render_line(y) for cell in segment.text if cell == "▀"]
        lines.append([cell.color.triplet.red for cell in cells])  # type: ignore[union-attr]
        lines.append([cell.bgcolor.triplet.red for cell in cells])  # type: ignore[union-attr]
    return np.array(lines)


async def test_the_list_and_the_first_image() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot)
        results, text = source.results, screen_text(app)
        for part in ("rank", "image", "crit", "label", "golden", "EL2N", "40 images, by rank"):
            assert part in text
        assert f"image {results.image_id[0]} · rank 1" in text
        assert f"label {results.label[0]} · golden {results.golden_class[0]}" in text
        critical = (results.severity[:, 0] == 2).sum()
        assert f"▌   1  {results.image_id[0]:>5}  {critical:>5}" in text
        await until_shown(pilot, f"{critical} faults change it")
        assert max(map(len, text.splitlines())) <= 80


async def test_the_picture_is_the_image() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot, "j")
        pictures = load_pictures(source.results.description(7))
        pixels = pictures.picture(int(source.results.image_id[1]))[:, :, 0]
        np.testing.assert_array_equal(drawn(app), pixels)
        await resize(pilot, 120, 40)
        await until(pilot, lambda: drawn(app).shape == (56, 56))
        np.testing.assert_array_equal(drawn(app), pixels.repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (["j"], 1), (["down", "j"], 2), (["j", "k"], 0), (["j", "up"], 0), (["G"], 39), (["end"], 39), (["G", "g"], 0),
        (["G", "home"], 0), (["k"], 0), (["pagedown"], 19), (["G", "pageup"], 20),
    ],
)  # fmt: skip
async def test_keys_move_the_cursor_and_the_picture_follows(keys: list[str], place: int) -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot, *keys)
        assert rows(app).cursor == place
        await until_shown(pilot, f"image {source.results.image_id[place]} · rank {place + 1}")
        assert f"▌{place + 1:>4}  {source.results.image_id[place]:>5}" in screen_text(app)


async def test_what_an_image_is_taken_for_and_how_often() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(120, 60)) as pilot:
        await open_images(pilot, "j", "j")
        mistakes = source.results.mistakes(7, int(source.results.image_id[2]))
        assert len(mistakes) > 3
        await until_shown(pilot, "of 2,000 faults")
        bars = [line[50:].split() for line in screen_text(app).splitlines() if "━" in line]
        expected = list(zip(map(str, mistakes.prediction), map(str, mistakes.faults), strict=True))
        assert [(bar[0], bar[-1]) for bar in bars] == expected


async def test_o_sorts_by_critical_faults_and_back() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot, "j", "o")
        await until_shown(pilot, "most critical faults first")
        most = source.results.images(7, "critical")
        await until_shown(pilot, f"▌{most.rank[0] + 1:>4}  {most.image_id[0]:>5}")
        await pilot.press("o")
        await until_shown(pilot, f"▌   1  {source.results.image_id[0]:>5}")
        assert "by rank" in screen_text(app)


async def test_slash_goes_to_an_image_id() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot, "slash")
        assert app.screen.query_one(FilterLine).is_typing
        await pilot.press(*str(source.results.image_id[31]), "enter")
        await until_shown(pilot, f"image {source.results.image_id[31]} · rank 32")
        assert rows(app).cursor == 31
        assert rows(app).has_focus
        assert not app.screen.query_one(FilterLine).display


async def test_slash_with_an_image_that_is_not_there() -> None:
    source = make_source()
    missing = next(image for image in range(100) if image not in source.results.image_id)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await open_images(pilot, "j", "slash", *str(missing), "enter")
        await until_shown(pilot, f"Image {missing} is not in")
        assert rows(app).cursor == 1


@pytest.mark.parametrize(
    "keys", [["slash", "escape"], ["slash", "1", "escape"], ["slash", "enter"], ["slash", "minus", "x", "enter"]]
)
async def test_slash_can_be_left(keys: list[str]) -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot, "j", *keys)
        assert rows(app).has_focus
        assert rows(app).cursor == 1
        assert isinstance(app.screen, ImagesScreen)


async def test_s_opens_the_query_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(DearApp, "open_sql", lambda _app, text: opened.append(text), raising=False)
    app = make_app(make_source(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot, "s", "o")
        await until_shown(pilot, "most critical faults first")
        await pilot.press("s")
        assert opened == [images_sql(7, "rank"), images_sql(7, "critical")]


async def test_a_missing_data_set_is_a_sentence_in_the_place_of_the_picture(tmp_path: Path) -> None:
    source = make_source()
    source.results.dataset = {"name": "cifar10", "path": str(tmp_path)}
    app = make_app(source, 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_screen(pilot, "6", "No picture:")
        await until_shown(pilot, "faults")
        text = screen_text(app)
        assert "cifar10" in text
        assert f"image {source.results.image_id[0]} · rank 1" in text
        await pilot.press("j")
        await until_shown(pilot, f"image {source.results.image_id[1]} · rank 2")


async def test_an_image_that_cannot_be_read_any_more_is_a_sentence_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    path = tmp_path / "set.npz"
    np.savez(path, images=np.zeros((10_000, 1, 4, 4), np.uint8), labels=np.zeros(10_000, np.int64))
    source = make_source()
    source.results.dataset = {"name": "npz", "path": str(path)}
    app = make_app(source, 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_images(pilot)
        with path.open("r+b") as file:
            file.truncate(100)
        await pilot.press("j")
        await until_shown(pilot, "No picture:")


async def test_classes_have_their_names() -> None:
    source = make_source()
    source.results.dataset = {"name": "fashion_mnist", "path": str(BUNDLED_MNIST)}
    app = make_app(source, 7)
    async with app.run_test(size=(160, 50)) as pilot:
        await open_images(pilot)
        label = source.results.label[0]
        names = load_pictures(source.results.description(7)).class_names
        assert f"label {label} {names[label]} ·" in screen_text(app)
        assert sum(f"{label} {names[label]}" in line for line in screen_text(app).splitlines()) > 1


async def test_while_it_runs_the_numbers_follow_and_the_cursor_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ResultScreen, "REFRESH_SECONDS", 0.0)
    source = make_source("running", done=2)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot, *"jjjjj")
        await until_shown(pilot, "Not run yet")
        await go_on(pilot, source, 30)
        critical = (source.results.severity[:, 5] == 2).sum()
        await until_shown(pilot, f"▌   6  {source.results.image_id[5]:>5}  {critical:>5}")
        await until_shown(pilot, f"{critical} faults change it")
        assert rows(app).cursor == 5


async def go_on(pilot: Pilot[str], source: ResultSource, done: int) -> None:
    """More images are stored."""
    source.results.done = done
    source.statuses = [status_of(source.results, "running")]
    await until_read(pilot, source)


async def test_moving_the_cursor_paints_two_rows_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot)
        painted: list[object] = []
        widget = rows(app)
        monkeypatch.setattr(widget, "refresh", lambda *regions, **_options: painted.extend(regions or ["all"]))
        await pilot.press("j")
        await pilot.pause()
        assert [region.height for region in painted] == [1, 1]  # type: ignore[attr-defined]


async def test_before_the_first_result_the_images_are_there_already() -> None:
    source = make_source("queued", done=0)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot)
        assert "Not run yet" in screen_text(app)
        assert f"▌   1  {source.results.image_id[0]:>5}      –" in screen_text(app)


async def test_an_image_leads_to_its_faults_a_fault_and_back_the_same_way() -> None:
    source = make_source()
    app = make_app(source, 7)
    image = int(source.results.image_id[3])
    group = FaultGroup(image_id=image)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_images(pilot, "j", "j", "j", "enter")
        await until_shown(pilot, f"› image {image} ›", "faults by prediction")
        faults = source.results.faults(7, group, "prediction")
        await until_shown(pilot, f"▌ {faults.fault_id[0]:>5}")
        await pilot.press("j", "j", "enter")
        await until_shown(pilot, f"› fault {faults.fault_id[2]}", "without the fault:")
        images = source.results.critical_images(7, int(faults.fault_id[2])).image_id
        await pilot.press("j", "enter")
        await until_shown(pilot, f"image {images[1]} ·")
        await pilot.press("escape")
        await until_shown(pilot, f"› fault {faults.fault_id[2]}", "without the fault:")
        assert app.screen.query_one("#images", RowList).key == images[1]
        await pilot.press("escape")
        await until_shown(pilot, "faults by prediction")
        assert app.screen.query_one("#faults", RowList).key == faults.fault_id[2]
        await pilot.press("escape")
        await until_shown(pilot, f"image {image} ·")
        assert (rows(app).cursor, rows(app).has_focus) == (3, True)
        await pilot.press("3")
        await until_shown(pilot, "critical pairs", "faults drawn")


async def test_words_filter_the_images_and_esc_takes_them_away() -> None:
    source = make_source()
    app = make_app(source, 7)
    wrong = source.results.label != source.results.golden_class
    async with app.run_test(size=(120, 40)) as pilot:
        await open_images(pilot, "slash")
        await until_shown(pilot, "golden has it wrong", "faults that flip it")
        await pilot.press(*"wrong")
        await until_shown(pilot, f"{wrong.sum()} of 40 images")
        await pilot.press("enter")
        await until_shown(pilot, "/ wrong", f"image {source.results.image_id[wrong][0]} ·")
        assert rows(app).has_focus
        await pilot.press("escape")
        await until_shown(pilot, "› 40 images")
        assert "/ wrong" not in screen_text(app)


async def test_a_filter_that_nothing_meets_names_the_way_back_and_a_wrong_word_its_fix() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_images(pilot, "slash", *"critical>99999")
        await until_shown(pilot, "No image meets “critical>99999”; esc shows all of them.")
        await pilot.press("enter", "escape")
        await until_shown(pilot, "› 40 images")
        await pilot.press("slash", *"critical=x")
        await until_shown(pilot, "critical: write it as critical>2")


async def test_c_shows_golden_against_faulty_classes_of_all_faults() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_images(pilot, "j", "c")
        await until_shown(pilot, "golden ↓  faulty →", "all faults › critical pairs")
        await pilot.press("escape")
        await until_shown(pilot, f"image {source.results.image_id[1]} ·")
