"""A folder of image files reads as torchvision's ImageFolder reads it."""

from __future__ import annotations

import os
import socket
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from engine.config.campaign_config import DatasetConfig
from engine.datasets import Dataset, load_dataset
from engine.datasets.pictures import class_names
from engine.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.steps import Step

RANDOM = np.random.default_rng(0)


def write(file: Path, mode: str = "RGB", size: tuple[int, int] = (5, 4)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], len(mode))
    Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8), mode=mode).save(file)


def load(folder: Path) -> Dataset:
    return load_dataset(DatasetConfig(name="folder", path=folder))


def test_the_same_images_and_labels_as_torchvision(tmp_path: Path) -> None:
    for name, mode in {"dog/b.png": "RGB", "dog/a.PNG": "L", "cat/deep/c.png": "RGBA", "cat/d.bmp": "RGB"}.items():
        write(tmp_path / name, mode)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "readme.md").write_text("no class")
    reference = ImageFolder(str(tmp_path))
    dataset = load(tmp_path)
    assert dataset.labels.tolist() == [0, 0, 1, 1]
    assert sorted(dataset.labels.tolist()) == sorted(reference.targets)
    expected = {np.asarray(image).tobytes() for image, _ in reference}
    assert {np.moveaxis(image, 0, 2).tobytes() for image in np.asarray(dataset.images)} == expected


def test_greyscale_files_have_one_channel(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png", "L")
    write(tmp_path / "1" / "a.png", "L")
    assert load(tmp_path).images.shape == (2, 1, 4, 5)


def test_an_image_of_another_size_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png")
    write(tmp_path / "0" / "b.png", size=(6, 4))
    with pytest.raises(InputError, match=r"b\.png: is 6 x 4 pixels, but the images before it are 5 x 4"):
        load(tmp_path)


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png")
    (tmp_path / "0" / "b.png").write_bytes(b"text")
    with pytest.raises(InputError, match=r"b\.png: cannot be read as an image"):
        load(tmp_path)


def test_a_cut_image_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png", size=(64, 64))
    (tmp_path / "0" / "a.png").write_bytes((tmp_path / "0" / "a.png").read_bytes()[:1000])
    with pytest.raises(InputError, match=r"a\.png: cannot be read as an image"):
        load(tmp_path)


def test_deeper_pixels_are_refused(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    Image.fromarray(np.full((4, 4), 40_000, dtype=np.uint16)).save(tmp_path / "0" / "a.png")
    with pytest.raises(InputError, match=r"a\.png: has more than 8 bits per channel"):
        load(tmp_path)


def test_a_class_without_images_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png")
    (tmp_path / "1").mkdir()
    with pytest.raises(InputError, match="1: holds no images"):
        load(tmp_path)


def test_a_folder_without_classes_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=f"{folder}: has no sub-folders"):
            load(folder)


@pytest.mark.parametrize(
    "hidden", [".ipynb_checkpoints/b.png", ".cache/x.png", "__MACOSX/0/a.png", "0/._a.png", "0/.DS_Store"]
)
def test_what_is_hidden_is_left_out_and_said(tmp_path: Path, hidden: str) -> None:
    write(tmp_path / "0" / "a.png")
    write(tmp_path / "1" / "a.png")
    (tmp_path / hidden).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / hidden).write_bytes(b"no image")
    dataset = load(tmp_path)
    assert dataset.labels.tolist() == [0, 1]
    first = hidden if hidden.startswith("0/") else hidden.split("/")[0]
    assert dataset.notes == (f"folder ({tmp_path}): 1 hidden file or folder is left out, the first {first}",)
    assert class_names(DatasetConfig(name="folder", path=tmp_path)) == ("0", "1")


@pytest.mark.parametrize(
    ("splits", "chosen"),
    [
        (["train", "test"], "test"),
        (["train", "val"], "val"),
        (["Train", "valid", "extra"], "valid"),
        (["validation"], "validation"),
    ],
)
def test_a_folder_of_splits_is_refused_with_the_one_to_give(tmp_path: Path, splits: list[str], chosen: str) -> None:
    for split in splits:
        write(tmp_path / split / "cat" / "a.png")
    with pytest.raises(InputError, match=rf"are splits, not classes; give \[dataset\] path {tmp_path}/{chosen}$"):
        load(tmp_path)
    assert len(load(tmp_path / chosen)) == 1


def test_the_split_to_give_has_classes(tmp_path: Path) -> None:
    """As in a contest, whose test images have no labels."""
    for split in ("train", "val"):
        write(tmp_path / split / "cat" / "a.png")
    write(tmp_path / "test" / "a.png")
    with pytest.raises(InputError, match=rf"test, train, val are splits, .* give \[dataset\] path {tmp_path}/val$"):
        load(tmp_path)


def test_classes_may_be_called_as_splits_are(tmp_path: Path) -> None:
    for name in ("train", "valid", "bus"):
        write(tmp_path / name / "a.png")
    assert load(tmp_path).labels.tolist() == [0, 1, 2]


def png_of_16_bits(colour: int, channels: int) -> bytes:
    """A 4 x 4 PNG, which PIL can read but not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + bytes(2 * channels * 4)) * 4)
    header = struct.pack(">IIBBBBB", 4, 4, 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff_of_16_bits(channels: int) -> bytes:
    """A 2 x 2 TIFF, which PIL can read but not write in colour."""
    pixels, bits = bytes(8 * channels), struct.pack("<3H", 16, 16, 16)
    photometric = 2 if channels == 3 else 1
    fields = [(256, 3, 1, 2), (257, 3, 1, 2), (258, 3, channels, 8 if channels == 3 else 16), (259, 3, 1, 1)]
    fields += [
        (262, 3, 1, photometric),
        (273, 4, 1, 14),
        (277, 3, 1, channels),
        (278, 3, 1, 2),
        (279, 4, 1, len(pixels)),
    ]
    table = b"".join(struct.pack("<HHII", *field) for field in fields)
    directory = struct.pack("<H", len(fields)) + table + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 14 + len(pixels)) + bits + pixels + directory


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("grey.tif", tiff_of_16_bits(1)),
        ("colour.tif", tiff_of_16_bits(3)),
        ("grey.png", png_of_16_bits(0, 1)),
        ("colour.png", png_of_16_bits(2, 3)),
        ("grey with alpha.png", png_of_16_bits(4, 2)),
        ("colour with alpha.png", png_of_16_bits(6, 4)),
        ("colour.ppm", b"P6 4 4 65535\n" + bytes(96)),
        ("grey.pgm", b"P5 4 4 65535\n" + bytes(32)),
    ],
)
def test_every_image_of_more_than_8_bits_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: has more than 8 bits per channel; save it as an 8-bit image"):
        load(tmp_path)


def test_few_bits_are_read(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    Image.fromarray(np.eye(4, dtype=np.uint8) * 255).convert("1").save(tmp_path / "0" / "a.png")
    (tmp_path / "0" / "b.ppm").write_bytes(b"P6 4 4 100\n" + bytes([100] * 48))
    assert load(tmp_path).images.shape == (2, 3, 4, 4)


@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n", b"GIF89a\4\0\4\0\0\0\0", b""]
)
def test_other_formats_are_not_tried_whatever_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("starts a program"))
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png: cannot be read as an image"):
        load(tmp_path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "0"
    folder.mkdir()
    os.mkfifo(folder / "a.png")
    with pytest.raises(InputError, match=r"a\.png: is a pipe, not a file; fix or remove it"):
        load(tmp_path)
    (folder / "a.png").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "a.png"))
        with pytest.raises(InputError, match=r"a\.png: is a socket, not a file"):
            load(tmp_path)
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"a\.png: is a device, not a file"):
        load(tmp_path)


def test_links_that_lead_nowhere_or_in_a_circle_are_named(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png")
    link = tmp_path / "0" / "b.png"
    link.symlink_to("missing.png")
    with pytest.raises(InputError, match=r"b\.png: is a link that leads nowhere; fix or remove it"):
        load(tmp_path)
    link.unlink()
    link.symlink_to("b.png")
    with pytest.raises(InputError, match=r"b\.png: cannot be read \(Too many levels of symbolic links\)"):
        load(tmp_path)
    link.unlink()
    (tmp_path / "0" / "again").symlink_to(tmp_path / "0")
    with pytest.raises(InputError, match="0/again: leads back to a folder that it lies in; remove the link"):
        load(tmp_path)


def test_linked_folders_are_read_as_torchvision_reads_them(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "b.png")
    write(tmp_path / "set" / "0" / "a.png")
    (tmp_path / "set" / "0" / "more").symlink_to(tmp_path / "elsewhere")
    assert len(load(tmp_path / "set")) == len(ImageFolder(str(tmp_path / "set"))) == 2


@pytest.mark.parametrize("mode", ["RGBA", "P", "CMYK", "LA"])
def test_other_colours_become_rgb_as_in_torchvision(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "0" / ("a.tif" if mode == "CMYK" else "a.png")
    file.parent.mkdir()
    image = Image.fromarray(RANDOM.integers(0, 256, (4, 5, 3), dtype=np.uint8)).convert(mode)
    transparent: dict[str, Any] = {"transparency": 3} if mode == "P" else {}
    image.save(file, **transparent)
    expected = np.asarray(ImageFolder(str(tmp_path))[0][0])
    np.testing.assert_array_equal(load(tmp_path).images[0], np.moveaxis(expected, 2, 0))


def test_a_rotation_in_exif_is_not_made_as_in_torchvision(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (5, 4)).save(tmp_path / "0" / "a.jpg", exif=exif)
    assert load(tmp_path).images.shape == (1, 3, 4, 5)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_of_several_frames_the_first_is_taken_and_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "0").mkdir()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("white", "black")]
    frames[0].save(tmp_path / "0" / name, save_all=True, append_images=frames[1:], lossless=True)
    dataset = load(tmp_path)
    assert (np.asarray(dataset.images) == 255).all()
    assert dataset.notes == (f"folder ({tmp_path}): 1 file has several frames, of which the first is taken: 0/{name}",)


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    write(tmp_path / "0" / "a.png")
    with (tmp_path / "0" / "a.png").open("r+b") as file:
        file.truncate(10**12)
    with pytest.raises(
        InputError, match=r"a\.png: has 1,000,000,000,000 bytes, and an image file may have 536,870,912"
    ):
        load(tmp_path)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_huge_image_is_refused_from_its_header(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    small = png_of_16_bits(2, 3)
    for size, complaint in (
        (10_000, "is 10000 x 10000 pixels, and one may have 67,108,864"),
        (100_000, "exceeds limit"),
    ):
        header = b"IHDR" + struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
        content = small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
        (tmp_path / "0" / "a.png").write_bytes(content)
        with pytest.raises(InputError, match=rf"a\.png: .*{complaint}"):
            load(tmp_path)


def test_files_are_decoded_on_demand_where_they_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        write(tmp_path / str(number % 2) / f"{number}.png", "L" if number == 3 else "RGB")
    kept = load(tmp_path)
    assert isinstance(kept.images, np.ndarray)
    monkeypatch.setattr("engine.datasets.folder.KEPT_BYTES", 0)
    lazy = load(tmp_path)
    assert not isinstance(lazy.images, np.ndarray)
    assert (lazy.images.shape, lazy.images.dtype, len(lazy.images)) == (kept.images.shape, kept.images.dtype, 7)
    assert lazy.sha256 == kept.sha256
    for index in (slice(None), slice(1, 6, 2), [6, 0, 0, -1], []):
        np.testing.assert_array_equal(lazy.batch(index), kept.batch(index))
    np.testing.assert_array_equal(lazy.images[5], kept.images[5])
    write(tmp_path / "0" / "0.png", size=(9, 9))
    with pytest.raises(InputError, match=r"0\.png: was changed while the images were read"):
        lazy.batch([0])


def test_reading_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.datasets.folder.STEP_FILES", 2)
    for number in range(3):
        write(tmp_path / "0" / f"{number}.png")
    steps: list[Step] = []
    load_dataset(DatasetConfig(name="folder", path=tmp_path), on_step=steps.append)
    assert [(step.text, step.done, step.total) for step in steps] == [
        ("looking at the image files", 0, 3),
        ("looking at the image files", 2, 3),
        ("reading the images", 0, 3),
        ("reading the images", 2, 3),
    ]


@pytest.mark.parametrize("name", ["mit Leerzeichen", "äöü 数字", "100%", "~", "a'b\"c", os.fsdecode(b"caf\xe9")])
def test_names_of_every_kind(tmp_path: Path, name: str) -> None:
    write(tmp_path / name / f"{name}.png")
    dataset = load(tmp_path)
    assert len(dataset) == 1
    (tmp_path / name / f"{name}.png").write_bytes(b"")
    with pytest.raises(InputError) as error:
        load(tmp_path)
    assert str(error.value).encode().startswith(str(tmp_path).encode())
    assert "".join(class_names(DatasetConfig(name="folder", path=tmp_path))).encode()


def test_a_file_in_place_of_the_folder_and_no_permission_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set").write_bytes(b"")
    with pytest.raises(InputError, match="set: has no sub-folders; give"):
        load(tmp_path / "set")
    write(tmp_path / "0" / "a.png")

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\); fix its permissions"):
        load(tmp_path)
    assert class_names(DatasetConfig(name="folder", path=tmp_path)) == ()
