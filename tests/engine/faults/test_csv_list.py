"""Fault lists from CSV files."""

import csv
import os
import re
import tracemalloc

import numpy as np
import pytest

from engine.errors import InputError
from engine.faults.csv_list import read_fault_list
from engine.faults.designs.design import StratumSize
from engine.faults.population import Layer, Population
from engine.faults.sampling import sample
from engine.faults.tensor_index import parse_tensor_index, parse_tensor_indices

LAYERS = (Layer(0, "conv1", (16, 3, 3, 3)), Layer(1, "layer1.0.conv1", (16, 16, 3, 3)), Layer(2, "linear", (10, 64)))


@pytest.fixture
def read(tmp_path):
    def read_text(text, model="bit_flip", seed=0, convention="x32"):
        path = tmp_path / "faults.csv"
        path.write_text(text, encoding="utf-8")
        return read_fault_list(path, LAYERS, model, seed, convention)

    return read_text


def rows_of(faults):
    columns = (faults.layer, faults.weight_index, faults.bit, faults.stuck)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_published_style(read):
    faults = read(
        "Injection,Layer,TensorIndex,Bit,n_injections,masked,non_critical,critical\n"
        '0,conv1,"(3, 0, 2, 1)",15,10000,14,9985,1\n'
        '1,linear,"(9, 8)",13,10000,25,9975,0\n'
    )
    assert rows_of(faults) == [(0, 88, 15, -1), (2, 584, 13, -1)]
    assert list(faults.tensor_index()) == ["(3, 0, 2, 1)", "(9, 8)"]
    assert (faults.model, faults.population) == ("bit_flip", 32 * (432 + 2304 + 640))
    assert faults.fault_id.tolist() == [0, 1]


@pytest.mark.parametrize("model", ["bit_flip", "stuck_at_0", "stuck_at_1", "stuck_at"])
def test_own_export_comes_back(tmp_path, model):
    drawn = sample([StratumSize("network", Population.whole(LAYERS, model), 200)], 5)
    path = tmp_path / "export.csv"
    columns = zip(drawn.layer, drawn.weight_index, drawn.tensor_index(), drawn.bit, drawn.models(), strict=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["campaign", "layer", "layer_index", "weight_index", "tensor_index", "bit", "model", "golden_value"]
        )
        for layer, weight_index, tensor_index, bit, row_model in columns:
            writer.writerow([1, LAYERS[layer].name, layer, weight_index, tensor_index, bit, row_model, 0.5])
    read_back = read_fault_list(path, LAYERS, "bit_flip", seed=0)
    assert rows_of(read_back) == rows_of(drawn)
    assert (read_back.model, read_back.population) == (drawn.model, drawn.population)
    np.testing.assert_array_equal(read_back.fault_id, drawn.fault_id)


def test_the_model_is_the_configs_where_the_file_has_none(read):
    text = "layer,weight_index,bit\nconv1,0,30\nconv1,1,31\n"
    assert rows_of(read(text, "stuck_at_1")) == [(0, 0, 30, 1), (0, 1, 31, 1)]
    assert read(text, "bit_flip", convention="x64").population == 64 * (432 + 2304 + 640)


def test_polarities_come_from_the_seed(read):
    text = "layer,weight_index,bit\n" + "".join(f"linear,{i},30\n" for i in range(64))
    first, again, other = (read(text, "stuck_at", seed).stuck.tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert set(first) == {0, 1}


def test_both_polarities_of_a_bit_are_two_faults(read):
    faults = read("layer,weight_index,bit,model\nconv1,0,30,stuck_at_0\nconv1,0,30,stuck_at_1\n")
    assert (faults.model, faults.stuck.tolist()) == ("stuck_at", [0, 1])


def test_a_spreadsheets_habits(read):
    faults = read('\ufefflayer, bit ,weight_index\r\n conv1 , 3 , 7 \r\n\r\n"linear",31,639\r\n')
    assert rows_of(faults) == [(0, 7, 3, -1), (2, 639, 31, -1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column layer"),
        ("layer,bit\nconv1,3\n", "has no column weight_index or tensor_index"),
        ("Layer,TensorIndex\n", "has no column bit"),
        ("layer,weight_index,bit\n", "has no rows"),
        ("layer,weight_index,bit\nconv1,0,1\nconv9,0,1\n", r"row 1 .*no injectable layer 'conv9'; use one of conv1"),
        ("layer,weight_index,bit\nconv1,432,1\n", r"row 0 .*weight_index '432' is outside conv1; use 0 to 431"),
        ("layer,weight_index,bit\nconv1,-1,1\n", r"row 0 .*weight_index '-1' is outside conv1"),
        ("layer,weight_index,bit\nconv1,1.5,1\n", r"row 0 .*weight_index '1.5'"),
        ("layer,weight_index,bit\nconv1,0,32\n", r"row 0 .*bit '32' is not a bit of a 32-bit weight; use 0 to 31"),
        ("layer,weight_index,bit\nconv1,0,\n", r"row 0 .*bit '' is not a bit"),
        ("layer,weight_index,bit\nconv1,0\n", r"row 0 .*bit '' is not a bit"),
        ("layer,weight_index,bit\nconv1,٣,1\n", r"row 0 .*weight_index '٣'"),
        (
            'Layer,TensorIndex,Bit\nconv1,"(16, 0, 0, 0)",1\n',
            r"row 0 .*outside conv1, whose weight has the shape \(16,",
        ),
        ('Layer,TensorIndex,Bit\nconv1,"(1, 0, 0)",1\n', r"row 0 .*tensor_index '\(1, 0, 0\)' is outside conv1"),
        ('Layer,TensorIndex,Bit\nconv1,"1, 0, 0, 0",1\n', r"row 0 .*tensor_index '1, 0, 0, 0' is outside conv1"),
        (
            "Layer,TensorIndex,Bit\nconv1,(1, 0, 0, 0),1\n",
            r"row 0 .*more cells than columns; put a tensor index in quotes",
        ),
        (
            'layer,weight_index,tensor_index,bit\nconv1,0,"(0, 0, 0, 0)",1\nconv1,1,"(0, 0, 0, 2)",1\n',
            r"row 1 .*weight_index and tensor_index name different weights",
        ),
        (
            "layer,weight_index,bit,model\nconv1,0,1,stuck_at\n",
            r"row 0 .*model 'stuck_at' is not known here; use bit_flip",
        ),
        (
            "layer,weight_index,bit,model\nconv1,0,1,bit_flip\nconv1,1,1,stuck_at_0\n",
            r"row 1 .*bit flips and stuck-at faults do not share a population",
        ),
        (
            "layer,weight_index,bit\nconv1,5,1\nconv1,0,1\nlinear,0,1\nconv1,0,1\nconv1,5,1\n",
            r"row 3 .*the same fault as row 1; remove one",
        ),
        ('layer,weight_index,bit\n"conv1,0,1\n', "cannot be read as CSV"),
    ],
)
def test_bad_files_are_one_sentence(read, text, message):
    with pytest.raises(InputError, match=message) as error:
        read(text)
    assert str(error.value).startswith("[faults] list: ")
    assert "faults.csv" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_separator_is_found(read, separator, end):
    lines: tuple[list[str], ...] = (
        ["Injection", "Layer", "TensorIndex", "Bit"],
        ["0", "conv1", '"(3, 0, 2, 1)"', "15"],
        [],
        [],
    )
    assert rows_of(read(end.join(separator.join(line) for line in lines))) == [(0, 88, 15, -1)]


def test_an_index_needs_no_quotes_where_cells_are_not_separated_by_commas(read):
    assert rows_of(read("Injection;Layer;TensorIndex;Bit\n0;conv1;(3, 0, 2, 1);30\n")) == [(0, 88, 30, -1)]


SPELLINGS = [
    "(3, 0, 2, 1)",
    "(3,0,2,1)",
    "( 3 , 0 , 2 , 1 , )",
    "[3, 0, 2, 1]",
    "[3,0,2,1]",
    "[3 0 2 1]",
    "(np.int64(3), np.int64(0), np.int64(2), np.int64(1))",
    "(numpy.int32(3), numpy.int32(0), numpy.int32(2), numpy.int32(1))",
    "tensor([3, 0, 2, 1])",
    "tensor([3, 0, 2, 1], dtype=torch.int32, device='cuda:0')",
    "(tensor(3), tensor(0), tensor(2), tensor(1))",
    "torch.Size([3, 0, 2, 1])",
    "array([3, 0, 2, 1])",
    "np.array([3, 0, 2, 1], dtype=int64)",
]


@pytest.mark.parametrize("text", [*SPELLINGS, "(numpy.int32(3), int64(0), np.uint8(2), 1)"])
def test_an_index_as_python_numpy_and_torch_print_it(read, text):
    assert rows_of(read(f'Layer,TensorIndex,Bit\nconv1,"{text}",1\n')) == [(0, 88, 1, -1)]
    both = f'Layer,TensorIndex,Bit\nconv1,"(3, 0, 2, 0)",1\nlinear,"[9 8]",1\nconv1,"{text}",1\n'
    assert rows_of(read(both)) == [(0, 87, 1, -1), (2, 584, 1, -1), (0, 88, 1, -1)]


@pytest.mark.parametrize("text", SPELLINGS)
def test_many_indices_that_are_printed_alike_are_read_together(text):
    """Place by place ten million rows take minutes."""
    texts = [re.sub(r"(?<!\d)1(?!\d)", str(number % 3), text) for number in range(50)]
    expected = [87 + number % 3 for number in range(50)]
    found = parse_tensor_indices(texts, LAYERS[0])
    assert found is not None
    assert found.tolist() == expected == [parse_tensor_index(each, LAYERS[0]) for each in texts]
    others = [
        "(3, 0, 2, 3)",
        "(3, 0, 2)",
        "(3, 0, 2, 1",
        "(3, 0, 2, 1)1",
        "3, 0, 2, 1",
        text[:-1],
        f"{text})",
        f"{text}\n",
    ]
    for other in (*others, text.replace("3", "<3"), text.replace("2", "-2"), text.replace("2", "2 0"), ""):
        assert parse_tensor_indices([*texts, other], LAYERS[0]) is None, other


@pytest.mark.parametrize(
    "text",
    [
        "(3, 0, 2, 1]",
        "(3, 0, 2)",
        "(3, 0, 2, 1, 0)",
        "(3, 0, 2, -1)",
        "(3, 0, 2, 1.0)",
        "(3, 0, 2, 3)",
        "()",
        "(٣, 0, 2, 1)",
    ],
)
def test_another_spelling_or_place_is_refused(read, text):
    with pytest.raises(InputError, match=r"row 1 .*tensor_index .* is outside conv1"):
        read(f'Layer,TensorIndex,Bit\nconv1,"(3, 0, 2, 1)",1\nconv1,"{text}",2\n')


@pytest.mark.parametrize("header", ["Value", "value", "StuckAt", "stuck_at", "Stuck", "Stuck at"])
@pytest.mark.parametrize("model", ["bit_flip", "stuck_at"])
def test_the_value_a_bit_is_stuck_at_is_understood(read, header, model):
    faults = read(f"layer,weight_index,bit,{header}\nconv1,0,30,1\nconv1,0,30,0\nconv1,1,30,1\n", model)
    assert (faults.model, faults.stuck.tolist()) == ("stuck_at", [1, 0, 1])


def test_equal_values_are_one_model_unless_the_config_wants_both_polarities(read):
    text = "layer,weight_index,bit,Value\nconv1,0,30,1\nconv1,1,30,1\n"
    assert [read(text, model).model for model in ("bit_flip", "stuck_at_1", "stuck_at")] == [
        "stuck_at_1",
        "stuck_at_1",
        "stuck_at",
    ]


def test_a_value_may_stand_beside_its_model(read):
    text = "layer,weight_index,bit,model,value\nconv1,0,30,stuck_at_1,1\nconv1,0,30,stuck_at,0\n"
    assert read(text).stuck.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("header", "rows", "model", "message"),
    [
        ("Value", ["1", "0"], "stuck_at_1", r"row 1 .*the value 0 contradicts \[faults\] model stuck_at_1; fix one"),
        (
            "model,value",
            ["stuck_at_0,0", "stuck_at_0,1"],
            "bit_flip",
            "row 1 .*the value 1 contradicts model stuck_at_0",
        ),
        ("model,value", ["stuck_at_0,0", "bit_flip,1"], "bit_flip", "row 1 .*the value 1 contradicts model bit_flip"),
        ("Value", ["1", "0.0123"], "bit_flip", "row 1 .*stuck at is '0.0123'; write 0 or 1, or rename"),
        ("Value", ["1", ""], "bit_flip", "row 1 .*stuck at is ''; write 0 or 1"),
    ],
)
def test_a_value_that_contradicts_is_refused(read, header, rows, model, message):
    text = f"layer,weight_index,bit,{header}\n" + "".join(f"conv1,{n},30,{row}\n" for n, row in enumerate(rows))
    with pytest.raises(InputError, match=message):
        read(text, model)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Layer,layer,weight_index,bit\nconv1,conv1,0,1\n",
            r"has the column layer twice \('Layer', 'layer'\); remove one",
        ),
        ("layer;weight_index\nconv1;0\n", "has no column bit where its first line is separated by ';' .semicolon"),
        ("layer;weight_index;bit\nconv1;0;1;2\n", "row 0 .*more cells than columns; they are separated by ';'"),
    ],
)
def test_the_sentence_names_column_and_separator(read, text, message):
    with pytest.raises(InputError, match=message):
        read(text)


def test_columns_of_other_names_may_repeat(read):
    assert rows_of(read("layer,n,n,,weight_index,,bit\nconv1,1,2,3,4,5,6\n")) == [(0, 4, 6, -1)]


def test_wide_lists_are_read_a_few_rows_at_once(read, monkeypatch):
    monkeypatch.setattr("engine.faults.csv_cells.CELLS_AT_ONCE", 250)
    others = ",".join(f"image_{number}" for number in range(100))
    text = f"layer,weight_index,bit,{others}\n" + "".join(f"conv1,{n},1{',0' * 100}\n" for n in range(9))
    assert read(text).weight_index.tolist() == list(range(9))
    with pytest.raises(InputError, match=r"row 9 .*more cells than columns"):
        read(f"{text}conv1,10,1{',0' * 101}\nconv1,11,99\n")


@pytest.mark.parametrize("place", ['"(%d, 0, 0, 0)"', '"[%d 0 0 0]"'])
def test_a_row_takes_less_than_a_hundred_bytes(tmp_path, place):
    """So that ten million rows are read in less than a gigabyte."""
    layers = (Layer(0, "wide", (40_000, 1, 1, 1)),)

    def peak(rows):
        path = tmp_path / f"{rows}.csv"
        lines = (f"{row},wide,{place % (row // 2)},{row % 2}\n" for row in range(rows))
        path.write_text("Injection,Layer,TensorIndex,Bit\n" + "".join(lines))
        tracemalloc.start()
        try:
            assert len(read_fault_list(path, layers, "bit_flip", 0)) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(80_000) - peak(20_000) < 100 * 60_000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf_16_is_a_sentence(tmp_path, encoding):
    (tmp_path / "faults.csv").write_bytes("layer,weight_index,bit\nconv1,0,1\n".encode(encoding))
    with pytest.raises(InputError, match=r"looks like UTF-16 text.; save it as UTF-8"):
        read_fault_list(tmp_path / "faults.csv", LAYERS, "bit_flip", 0)


def test_the_first_wrong_row_of_a_long_list_is_named(read, monkeypatch):
    monkeypatch.setattr("engine.faults.csv_cells.ROWS_AT_ONCE", 3)
    rows = [f"conv1,{number},1" for number in range(20)]
    assert rows_of(read("layer,weight_index,bit\n" + "\n".join(rows)))[19] == (0, 19, 1, -1)
    rows[10] = "conv1,10,99"
    rows[14] = "conv1,10,1,1"
    with pytest.raises(InputError, match=r"row 10 .*bit '99'"):
        read("layer,weight_index,bit\n\n" + "\n".join(rows))
    rows[10] = "conv1,9,1"
    with pytest.raises(InputError, match=r"row 14 .*more cells than columns"):
        read("layer,weight_index,bit\n" + "\n".join(rows))
    with pytest.raises(InputError, match=r"row 10 .*the same fault as row 9; remove"):
        read("layer,weight_index,bit\n" + "\n".join(rows[:14]))


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("MOST_BYTES", "has 33 bytes, and a list may have 20; split"),
        ("MOST_ROWS", "more than 20 rows; split"),
        ("MOST_LINE", "has a line of 40 bytes or more"),
    ],
)
def test_a_list_without_end_is_refused(read, monkeypatch, limit, message):
    monkeypatch.setattr(f"engine.faults.csv_cells.{limit}", 20)
    rows = {"MOST_BYTES": 1, "MOST_ROWS": 30, "MOST_LINE": 0}[limit]
    with pytest.raises(InputError, match=message):
        read("layer,weight_index,bit" + "," * 100 * (not rows) + "\n" + "".join(f"conv1,{n},1\n" for n in range(rows)))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", range(24, 64, 7))
def test_lines_may_end_anywhere_in_what_is_read_at_once(tmp_path, monkeypatch, end, block):
    monkeypatch.setattr("engine.faults.csv_cells.MOST_LINE", block)
    lines = ["\ufefflayer,weight_index,bit,é"] + [f"conv1,{number},1,ü" for number in range(40)]
    (tmp_path / "faults.csv").write_bytes(end.join(lines).encode())
    faults = read_fault_list(tmp_path / "faults.csv", LAYERS, "bit_flip", 0)
    assert faults.weight_index.tolist() == list(range(40))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "faults.csv")
    with pytest.raises(InputError, match=r"faults\.csv: is a pipe, not a file; give a CSV fault list"):
        read_fault_list(tmp_path / "faults.csv", LAYERS, "bit_flip", 0)


def test_missing_and_unreadable_files(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*none\.csv"):
        read_fault_list(tmp_path / "none.csv", LAYERS, "bit_flip", 0)
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_fault_list(tmp_path, LAYERS, "bit_flip", 0)
    (tmp_path / "binary.csv").write_bytes(b"layer,weight_index,bit\n\xff\xfe\n")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_fault_list(tmp_path / "binary.csv", LAYERS, "bit_flip", 0)


def resnet20_layers():
    shapes: dict[str, tuple[int, ...]] = {"conv1": (16, 3, 3, 3)}
    channels = 16
    for stage, width in ((1, 16), (2, 32), (3, 64)):
        for block in range(3):
            shapes[f"layer{stage}.{block}.conv1"] = (width, channels, 3, 3)
            shapes[f"layer{stage}.{block}.conv2"] = (width, width, 3, 3)
            channels = width
    shapes["linear"] = (10, 64)
    return tuple(Layer(index, name, shape) for index, (name, shape) in enumerate(shapes.items()))


def test_the_published_resnet20_campaign(shared_data):
    faults = read_fault_list(shared_data / "truth/ResNet20_FL.csv", resnet20_layers(), "bit_flip", 0, "x64")
    assert len(faults) == 16_627
    assert faults.population == 17_173_504
    per_layer = np.bincount(faults.layer)
    assert per_layer.tolist() == [27, *[143] * 6, 285, *[571] * 5, 1142, *[2284] * 5, 40]
    assert list(faults.tensor_index()[:4]) == ["(3, 0, 2, 1)", "(7, 0, 2, 0)", "(13, 0, 0, 0)", "(7, 2, 2, 0)"]
    assert faults.bit[:4].tolist() == [15, 5, 30, 12]
