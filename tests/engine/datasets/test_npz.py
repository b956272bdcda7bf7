"""Images and labels from a numpy archive."""

from __future__ import annotations

import io
import os
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.config.campaign_config import DatasetConfig
from engine.datasets import Dataset, load_dataset
from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.steps import Step

RANDOM = np.random.default_rng(0)
IMAGES = np.arange(2 * 1 * 3 * 4, dtype=np.uint8).reshape(2, 1, 3, 4)


@pytest.mark.parametrize("images", [IMAGES, IMAGES[:, 0], IMAGES.astype(np.float64), IMAGES[:, 0].astype(np.float16)])
@pytest.mark.parametrize("labels", [np.array([1, 0]), np.array([1, 0], dtype=np.uint8)])
def test_both_shapes_and_any_float(tmp_path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    dataset = load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))
    np.testing.assert_array_equal(dataset.images, IMAGES)
    assert dataset.images.dtype == (np.uint8 if images.dtype == np.uint8 else np.float32)
    assert (dataset.labels.dtype, dataset.labels.tolist()) == (np.int64, [1, 0])
    assert (dataset.mean, dataset.std) == ((), ())


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"images": IMAGES}, "has no array labels"),
        ({"x": IMAGES}, "has no array images or labels"),
        ({"x": IMAGES, "y\nz": IMAGES}, r"has no array images or labels, but 'x', 'y\\nz'; save images and labels"),
        ({"x_test": IMAGES, "y": IMAGES}, "has no array y_test, but 'x_test', 'y'; save x_test and y_test"),
        ({"images": IMAGES, "labels": [0, 1, 2]}, "2 images but 3 labels"),
        ({"images": IMAGES, "labels": [0, -4]}, "image 1 has label -4; labels count from 0"),
        ({"images": IMAGES, "labels": [0.0, 1.0]}, "labels are float64"),
        ({"images": IMAGES.astype(np.int32), "labels": [0, 1]}, "images are int32"),
        ({"images": IMAGES.ravel(), "labels": [0, 1]}, r"images are uint8 \(24,\)"),
        ({"images": IMAGES[:0], "labels": np.array([], dtype=np.int64)}, "there are no images"),
        ({"images": IMAGES, "labels": np.array([0, "x"], dtype=object)}, "not an .npz file of plain arrays"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, Any], complaint: str) -> None:
    file = tmp_path / "set.npz"
    np.savez(file, **arrays)
    with pytest.raises(InputError, match=complaint) as error:
        load_dataset(DatasetConfig(name="npz", path=file))
    assert str(file) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"plain text", b"PK\x03\x04 cut short"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"set\.npz: not an \.npz file of plain arrays"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))


def test_a_bare_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", IMAGES)
    with pytest.raises(InputError, match=r"set\.npy: not an \.npz file of plain arrays"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npy"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.npz: there is no such file"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "nowhere.npz"))


def load(path: Path, **arrays: Any) -> Dataset:
    np.savez(path / "set.npz", **arrays)
    return load_dataset(DatasetConfig(name="npz", path=path / "set.npz"))


LAST = np.arange(2 * 5 * 6 * 3, dtype=np.uint8).reshape(2, 5, 6, 3)
SQUARE = np.arange(2 * 5 * 5 * 3, dtype=np.uint8).reshape(2, 5, 5, 3)


@pytest.mark.parametrize(("images", "labels"), [("test_images", "test_labels"), ("x_test", "y_test")])
def test_files_of_medmnist_and_keras_give_their_test_split(tmp_path: Path, images: str, labels: str) -> None:
    others = {name.replace("test", split): np.zeros(1) for name in (images, labels) for split in ("train", "val")}
    dataset = load(tmp_path, **{images: LAST, labels: np.array([[1], [0]], dtype=np.uint8)}, **others)
    np.testing.assert_array_equal(dataset.images, np.moveaxis(LAST, 3, 1))
    assert dataset.labels.tolist() == [1, 0]
    assert [note.partition("set.npz): ")[2] for note in dataset.notes] == [
        f"{images} and {labels} are read, the test split",
        f"{images} (2, 5, 6, 3) are taken as [N, H, W, C] and turned to (2, 3, 5, 6)",
    ]


def test_channels_last_under_our_names_are_turned_where_nothing_else_is_likely(tmp_path: Path) -> None:
    assert load(tmp_path, images=SQUARE, labels=np.array([0, 1])).images.shape == (2, 3, 5, 5)
    signals = np.zeros((2, 64, 32, 1), dtype=np.float32)
    dataset = load(tmp_path, images=signals, labels=np.array([0, 1]))
    assert (dataset.images.shape, dataset.notes) == ((2, 64, 32, 1), ())


def test_grey_images_of_other_names_have_one_channel(tmp_path: Path) -> None:
    dataset = load(tmp_path, x_test=LAST[..., 0], y_test=np.array([0, 1]))
    np.testing.assert_array_equal(dataset.images, LAST[:, None, :, :, 0])


def test_images_that_may_be_either_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x_test \(2, 3, 8, 3\) may be \[N, C, H, W\] or \[N, H, W, C\]; save them"):
        load(tmp_path, x_test=np.zeros((2, 3, 8, 3), np.uint8), y_test=np.array([0, 1]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.bool_])
def test_one_hot_labels(tmp_path: Path, dtype: type[Any]) -> None:
    labels = np.eye(4)[[3, 1]].astype(dtype)
    assert load(tmp_path, images=IMAGES, labels=labels).labels.tolist() == [3, 1]


@pytest.mark.parametrize("row", [[0, 1, 1], [0, 0, 0], [0, 2, 0], [0.5, 0.5, 0], [1, np.nan, 0]])
def test_labels_that_are_nearly_one_hot_are_refused(tmp_path: Path, row: list[float]) -> None:
    with pytest.raises(InputError, match=r"labels \(2, 3\) are not one-hot: that of image 1 has not exactly one 1"):
        load(tmp_path, images=IMAGES, labels=np.array([[1, 0, 0], row]))


@pytest.mark.parametrize("dtype", [np.bool_, np.int64, np.uint16, np.complex64])
def test_images_of_other_types_are_refused_with_the_mend(tmp_path: Path, dtype: type[Any]) -> None:
    with pytest.raises(InputError, match=f'images are {np.dtype(dtype)} .*images.astype."uint8".'):
        load(tmp_path, images=IMAGES.astype(dtype), labels=np.array([0, 1]))


def test_labels_that_count_from_1_are_noticed(tmp_path: Path) -> None:
    assert (
        "no image has label 0: labels count from 0" in load(tmp_path, images=IMAGES, labels=np.array([2, 1])).notes[0]
    )


@pytest.mark.parametrize(
    ("value", "dtype", "complaint"),
    [
        (np.nan, np.float32, "image 1 has a pixel that is NaN; fix or remove it"),
        (np.inf, np.float16, "image 1 has a pixel that is infinite or larger than float32 holds"),
        (-1e300, np.float64, "image 1 has a pixel that is infinite or larger than float32 holds"),
    ],
)
@pytest.mark.parametrize("kept", [0, 10**9], ids=["on demand", "in memory"])
def test_a_pixel_that_is_no_number_is_blamed_on_its_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, dtype: type[Any], complaint: str, kept: int
) -> None:
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", kept)
    monkeypatch.setattr("engine.datasets.images.BLOCK_BYTES", 100)
    images = np.zeros((4, 1, 3, 4), dtype)
    images[1, 0, 2, 3] = value
    with pytest.raises(InputError, match=complaint) as error:
        load(tmp_path, images=images, labels=np.arange(4))
    assert str(error.value).startswith(f"npz ({tmp_path}/set.npz): ")


def test_normalisation_that_makes_a_pixel_infinite_is_blamed_on_its_image(tmp_path: Path) -> None:
    images = np.zeros((3, 1, 2, 2), np.float32)
    images[2] = 3e38
    np.savez(tmp_path / "set.npz", images=images, labels=np.arange(3))
    with pytest.raises(
        InputError, match=r"image 2 has a pixel of 3e\+38, which \[dataset\] mean and std make infinite"
    ):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz", mean=(0.0,), std=(0.1,)))


def test_floats_that_reach_255_are_noticed_where_nothing_normalises_them(tmp_path: Path) -> None:
    images, labels = IMAGES.astype(np.float32) * 10, np.array([0, 1])
    assert "these images reach 230: divide them by 255 first?" in load(tmp_path, images=images, labels=labels).notes[0]
    assert load(tmp_path, images=images - 100, labels=labels).notes == ()
    assert load(tmp_path, images=images / 230, labels=labels).notes == ()
    config = DatasetConfig(name="npz", path=tmp_path / "set.npz", mean=(100.0,), std=(50.0,))
    assert load_dataset(config).notes == ()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "images",
    [
        RANDOM.integers(0, 256, (9, 3, 4, 5)).astype(np.uint8),
        RANDOM.random((9, 4, 5)).astype(np.float64),
        RANDOM.random((9, 3, 4, 5)).astype(">f4"),
        RANDOM.integers(0, 256, (9, 5, 5, 3)).astype(np.uint8),
    ],
    ids=["uint8", "grey float64", "big-endian", "channels last"],
)
def test_images_read_on_demand_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[..., None], images: np.ndarray
) -> None:
    save(tmp_path / "set.npz", images=images, labels=np.arange(9))
    config = DatasetConfig(name="npz", path=tmp_path / "set.npz")
    kept = load_dataset(config)
    assert isinstance(kept.images, np.ndarray)
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    monkeypatch.setattr("engine.datasets.images.BLOCK_BYTES", 130)
    lazy = load_dataset(config)
    assert not isinstance(lazy.images, np.ndarray)
    assert (lazy.images.shape, lazy.images.dtype, len(lazy.images)) == (kept.images.shape, kept.images.dtype, 9)
    assert lazy.sha256 == kept.sha256
    for index in (slice(None), slice(2, 7, 2), slice(5, 5), [8, 0, 0, 1, -1], []):
        np.testing.assert_array_equal(lazy.batch(index), kept.batch(index))
        assert lazy.batch(index).flags.c_contiguous
    np.testing.assert_array_equal(lazy.images[4], kept.images[4])
    with pytest.raises(IndexError):
        lazy.batch([9])


def test_images_stored_by_columns_are_read_whole_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.asfortranarray(RANDOM.integers(0, 256, (9, 3, 4, 5)).astype(np.uint8))
    dataset = load(tmp_path, images=images, labels=np.arange(9))
    np.testing.assert_array_equal(dataset.images, images)
    assert dataset.batch(slice(None)).flags.c_contiguous
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    with pytest.raises(InputError, match=r"images is stored by columns .*save numpy\.ascontiguousarray\(images\)"):
        load(tmp_path, images=images, labels=np.arange(9))


def test_a_file_that_is_cut_short_meanwhile_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    dataset = load(tmp_path, images=RANDOM.integers(0, 256, (9, 3, 4, 5)).astype(np.uint8), labels=np.arange(9))
    with (tmp_path / "set.npz").open("r+b") as file:
        file.truncate(300)
    with pytest.raises(InputError, match=r"set\.npz: ends before image 8; it was changed"):
        dataset.batch([8])


def test_unpacking_needs_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "set.npz", images=IMAGES, labels=np.array([0, 1]))
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(InputError, match=r"compressed and needs 152 bytes in .*; set TMPDIR"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))


def npy_header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize("name", ["images", "labels"])
def test_a_header_that_announces_terabytes_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("images.npy", npy_header((2, 10**6, 10**6) if name == "images" else (2, 1, 1)) + b"12")
        archive.writestr("labels.npy", npy_header((10**13,) if name == "labels" else (2,)) + b"01")
    with pytest.raises(InputError, match=f"the header of {name} announces .* but 2 follow; save it again"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.datasets.npz_file.LEAST_SUSPECT_BYTES", 10**6)
    np.savez_compressed(tmp_path / "set.npz", images=np.zeros((2, 1000, 1000), np.uint8), labels=[0, 1])
    with pytest.raises(InputError, match=r"images would unpack from [\d,]+ to 2,000,000 bytes; if that is meant"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))
    np.savez(tmp_path / "set.npz", images=np.zeros((2, 1000, 1000), np.uint8), labels=[0, 1])
    assert len(load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))) == 2


def test_a_zip_file_of_very_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more: dict[str, Any] = {f"a{number}": [0] for number in range(20)}
    np.savez(tmp_path / "set.npz", images=IMAGES, labels=[0, 1], **more)
    config = DatasetConfig(name="npz", path=tmp_path / "set.npz")
    assert len(load_dataset(config)) == 2
    monkeypatch.setattr("engine.datasets.npz_file.MOST_DIRECTORY_BYTES", 1000)
    monkeypatch.setattr("zipfile.ZipFile", lambda _: pytest.fail("reads the directory"))
    with pytest.raises(InputError, match=r"set\.npz: holds far more than images and labels; save only these there"):
        load_dataset(config)


def test_labels_are_not_larger_than_any_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.datasets.npz.MOST_LABEL_BYTES", 15)
    with pytest.raises(InputError, match="labels have 16 bytes; save one whole number per image"):
        load(tmp_path, images=IMAGES, labels=np.array([0, 1]))


def test_without_a_folder_for_temporary_files_it_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "set.npz", images=IMAGES, labels=np.array([0, 1]))
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "gone")])
    with pytest.raises(InputError, match="no folder for temporary files can be written; set TMPDIR to one"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))


def test_a_corrupt_compressed_array_is_a_sentence(tmp_path: Path) -> None:
    np.savez_compressed(
        tmp_path / "set.npz", images=RANDOM.integers(0, 99, (50, 1, 9, 9)).astype(np.uint8), labels=[0] * 50
    )
    content = bytearray((tmp_path / "set.npz").read_bytes())
    content[400:420] = bytes(20)
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"set\.npz: not an \.npz file of plain arrays"):
        load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))


def test_a_pipe_and_a_folder_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    for path, kind in ((tmp_path / "pipe.npz", "a pipe"), (tmp_path, "a folder")):
        with pytest.raises(InputError, match=f"is {kind}, not a file; give .dataset. path an .npz file"):
            load_dataset(DatasetConfig(name="npz", path=path))


def test_a_large_array_is_compared_with_its_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "set.npz", images=RANDOM.integers(0, 99, (50, 1, 9, 9)).astype(np.uint8), labels=[0] * 50)
    content = bytearray((tmp_path / "set.npz").read_bytes())
    content[2000] ^= 1
    (tmp_path / "set.npz").write_bytes(content)
    for kept in (10**9, 0):
        monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", kept)
        with pytest.raises(InputError, match=r"set\.npz: not an \.npz file of plain arrays"):
            load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"))


def test_unpacking_and_checking_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "set.npz", images=IMAGES.astype(np.float32), labels=np.array([0, 1]))
    monkeypatch.setattr("engine.datasets.npz_file.KEPT_BYTES", 0)
    steps: list[Step] = []
    load_dataset(DatasetConfig(name="npz", path=tmp_path / "set.npz"), on_step=steps.append)
    assert [step.text for step in steps] == ["unpacking the images, MB", "checking the pixels"]


@pytest.mark.parametrize(("memory", "kept"), [(None, 540), (8 * 540, 540), (8 * 539, 0)])
def test_images_stay_in_an_eighth_of_the_memory_at_most(tmp_path: Path, memory: int | None, kept: int) -> None:
    np.savez(tmp_path / "set.npz", images=np.zeros((9, 3, 4, 5), dtype=np.uint8), labels=np.arange(9))
    config = DatasetConfig(name="npz", path=tmp_path / "set.npz")
    assert load_dataset(config, memory=memory).kept_bytes == kept
