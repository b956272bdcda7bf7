"""GPUs and processor in words and small graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from dear_tui.machine.gpu import PROGRAM, UNKNOWN
from dear_tui.machine.machine import KEPT
from dear_tui.widgets.common.status_text import MUTED, spread
from engine.printable import printable_line
from engine.units import UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dear_tui.access.store_location import AtWork
    from dear_tui.machine.cpu import Cpu
    from dear_tui.machine.gpu import Gpu, GpuProcess
    from dear_tui.machine.machine import MachineHistory, Moment
    from dear_tui.machine.processes import CpuProcess

SHORT_GRAPH = 10
GAP = "  "
GIGA = 10**9
NO_GPU = "No GPU: campaigns run on the CPU."
NO_PROCESSES = "The driver names no process that computes here."
NOT_NAMED = "The driver does not name it: its share is not known."
OWN, OWN_SIGN = "bold $text-success", "▸"
PID_CELLS, UTILISATION_CELLS, MEMORY_CELLS = 8, 13, 17
MOST_CPU_LINES = 7
"""of the processes on the processor, with their heading"""
EIGHTHS = " ▁▂▃▄▅▆▇█"
UNREAD = "·"


def size(used: int | None, total: int | None) -> str:
    """`31.2 / 85.9 GB`; a dash for what is not known."""
    if used is None and total is None:
        return "–"
    largest = total or used or 0
    unit, name = next((one for one in UNITS[:-1] if largest >= one[0]), UNITS[-2])
    of = "" if total is None else f" / {total / unit:.3g}"
    return f"{'–' if used is None else f'{used / unit:.3g}'}{of} {name}B"


def gpu_card(
    history: MachineHistory, index: int, gpu: Gpu, at_work: AtWork | None, width: int, height: int
) -> list[Content]:
    """Name and figures, the two graphs, MIG instances, processes with their shares."""
    figures = [
        _known(gpu.temperature, "{:.0f} °C"),
        _of(gpu.power, gpu.power_limit, "W"),
        _of(gpu.clock, gpu.clock_limit, "MHz"),
    ]
    lines = [_head(f"GPU {index}", gpu.name, [figure for figure in figures if figure], width)]
    if gpu.problem:
        return [*lines, Content.styled(f"It does not answer: {gpu.problem}", "$text-error")]
    utilisation, memory = history.gpu_utilisation(index), history.gpu_memory(index)
    lines += _graphs(utilisation, gpu.utilisation, memory, gpu.memory_used, gpu.memory_total, width, height)
    lines += [_line(one.name, size(one.memory_used, one.memory_total), width) for one in gpu.instances]
    return lines + _processes(gpu, at_work, width)


def process_lines(gpu: Gpu) -> int:
    """How many lines of a GPU's card tell of its processes."""
    return len(_processes(gpu, None, 0))


def worker_lines(gpus: Sequence[Gpu], at_work: AtWork | None, width: int) -> list[Content]:
    """That the worker computes on a GPU, where the driver does not name it among the processes there."""
    named = {process.pid for gpu in gpus for process, _ in _all_processes(gpu)}
    if not gpus or at_work is None or at_work.pid in named or not (at_work.device or "").startswith("cuda"):
        return []
    worker = (
        f"{OWN_SIGN} {PROGRAM} worker, process {at_work.pid}: campaign {at_work.campaign} runs on {at_work.device}."
    )
    said = Content.styled(worker, OWN), Content.styled(f"  {NOT_NAMED}", MUTED)
    return [line.truncate(max(width, 1), ellipsis=True) for line in said]


def cpu_card(history: MachineHistory, now: Moment, at_work: AtWork | None, width: int, height: int) -> list[Content]:
    """Name and load, the two graphs, one sign for each core, the busiest processes."""
    cpu = now.cpu
    load = [] if cpu.load is None else [f"load {cpu.load[0]:.1f}  {cpu.load[1]:.1f}  {cpu.load[2]:.1f}"]
    lines = [_head("CPU", cpu.name, [f"{cpu.cores} cores", *load], width)]
    utilisation, memory = history.cpu_utilisation(), history.cpu_memory()
    lines += _graphs(utilisation, cpu.utilisation, memory, cpu.memory_used, cpu.memory_total, width, height)
    if cpu.per_core:
        cores = "".join(history_rows([core], 1, 1)[0].replace(" ", "▁") for core in cpu.per_core)
        lines.append(Content.assemble(("cores  ", MUTED), (cores, "$primary")).truncate(width, ellipsis=True))
    if now.processes:
        lines.append(_process_titles("of one core", width))
        lines += [_cpu_process(process, cpu, at_work, width) for process in now.processes]
    return lines


def machine_line(history: MachineHistory, width: int) -> Content:
    """All GPUs in one line."""
    now = history.now
    if now is None:
        return Content("")
    parts = [_short_gpu(history, index, gpu) for index, gpu in enumerate(now.gpus.gpus)]
    return Content.styled("  │  ", MUTED).join(parts).truncate(max(width, 1), ellipsis=True)


def _short_gpu(history: MachineHistory, index: int, gpu: Gpu) -> Content:
    name = f"GPU {index}"
    if gpu.problem:
        return Content.assemble((name, "bold"), (" does not answer", "$text-error"))
    figures = [size(gpu.memory_used, gpu.memory_total), _known(gpu.temperature, "{} °C"), _known(gpu.power, "{:.0f} W")]
    name += f"  {len(gpu.instances)} MIG" if gpu.instances else ""
    return _short(name, gpu.utilisation, history.gpu_utilisation(index), [figure for figure in figures if figure])


def _short(name: str, share: float | None, shares: Sequence[float | None], figures: Sequence[str]) -> Content:
    graph = history_rows(shares, SHORT_GRAPH, 1)[0]
    return Content.assemble(
        (name, "bold"), f"  {_known(share, '{:.0f} %') or '– %':>5} ", (graph, "$primary"), GAP, GAP.join(figures)
    )


def _head(kind: str, name: str, figures: Sequence[str], width: int) -> Content:
    left = Content.assemble((kind, "bold"), GAP, (name if name != kind else "", "$text-primary"))
    return spread(left, Content((GAP + " ").join(figures)), width)


def _graphs(
    shares: Sequence[float | None],
    share: float | None,
    memory_shares: Sequence[float | None],
    used: int | None,
    total: int | None,
    width: int,
    height: int,
) -> list[Content]:
    """Utilisation beside memory, each under its title; nothing where neither was ever known."""
    if all(known is None for known in (*shares, *memory_shares)):
        return [Content.styled("It tells neither utilisation nor memory.", MUTED)]
    half = max((width - len(GAP)) // 2, 1)
    titles = ("utilisation", _known(share, "{:.0f} %") or "–"), ("memory", size(used, total))
    left, right = (spread(Content.styled(title, MUTED), Content.styled(value, "bold"), half) for title, value in titles)
    drawn = zip(history_rows(shares, half, height), history_rows(memory_shares, half, height), strict=True)
    graphs = [Content.assemble((one, "$primary"), GAP, (other, "$warning")) for one, other in drawn]
    ground = Content.styled(f"{time_axis(half)}{GAP}{time_axis(half)}", MUTED)
    return [left + Content(GAP) + right, *graphs, ground]


def _processes(gpu: Gpu, at_work: AtWork | None, width: int) -> list[Content]:
    """A line for each, under a heading; one line where there are none, or the driver does not name them."""
    found = _all_processes(gpu)
    if not found:
        return [Content.styled(NO_PROCESSES, MUTED).truncate(max(width, 1), ellipsis=True)]
    return [
        _process_titles("utilisation", width),
        *(_process(process, whole, at_work, width) for process, whole in found),
    ]


def _all_processes(gpu: Gpu) -> list[tuple[GpuProcess, Gpu]]:
    """With what each computes on: the GPU, or an instance of it."""
    return [(process, whole) for whole in (gpu, *gpu.instances) for process in whole.processes]


def _process(process: GpuProcess, whole: Gpu, at_work: AtWork | None, width: int) -> Content:
    utilisation = _known(process.utilisation, "{} %") or "–"
    return _process_line(process, utilisation, whole.memory_total, at_work, width)


def _cpu_process(process: CpuProcess, cpu: Cpu, at_work: AtWork | None, width: int) -> Content:
    return _process_line(process, f"{process.share:.0f} %", cpu.memory_total, at_work, width)


def _process_titles(share: str, width: int) -> Content:
    titles = Content.styled(f"{share:>{UTILISATION_CELLS}}{'memory':>{MEMORY_CELLS}}", MUTED)
    return spread(Content.styled(f"{'process':>{PID_CELLS}}", MUTED), titles, width)


def _process_line(
    process: GpuProcess | CpuProcess, share: str, total: int | None, at_work: AtWork | None, width: int
) -> Content:
    """This program's are marked, and the worker says which campaign it runs."""
    is_worker = at_work is not None and at_work.pid == process.pid
    is_own = process.is_own or is_worker
    style = OWN if is_own else ""
    pid = Content.styled(f"{OWN_SIGN if is_own else ' '}{process.pid:>{PID_CELLS - 1}}", style or MUTED)
    if at_work is not None and is_worker:
        command = Content.styled(f"{PROGRAM} worker, campaign {at_work.campaign}", style)
    elif process.command == UNKNOWN:
        command = Content.styled("not seen from here", MUTED)
    else:
        command = Content.styled(printable_line(" ".join(process.command.split())), style)
    memory = _known(process.memory and process.memory / GIGA, "{:.3g} GB") or "–"
    if process.memory is not None and total:
        memory += f"{f'{100 * process.memory / total:.0f} %':>7}"
    figures = Content(f"{share:>{UTILISATION_CELLS}}{memory:>{MEMORY_CELLS}}")
    return spread(pid + Content(GAP) + command, figures, width)


def time_axis(width: int) -> str:
    """The ground of a graph with a column for each second: how long ago that was, up to now at the right edge."""
    axis = "now"[-width:].rjust(width, "─") if width else ""
    for ago in (30, *range(60, KEPT, 60)):
        label = f"{ago}s" if ago < 60 else f"{ago // 60}m"
        start = width - ago - 1
        if start >= 0:
            axis = axis[:start] + f"╵{label}" + axis[start + len(label) + 1 :]
    return axis


def _line(left: str, right: str, width: int) -> Content:
    return spread(Content(f"  {left}"), Content(right), width)


def _known(value: float | None, words: str) -> str:
    return "" if value is None else words.format(value)


def _of(value: float | None, limit: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.0f} {unit}" if limit is None else f"{value:.0f} / {limit:.0f} {unit}"


def history_rows(percent: Sequence[float | None], width: int, height: int) -> list[str]:
    """The last `width` values as filled columns, the newest at the right edge; each row a line of text, the top first.

    What is above 0 is seen, however small; what is not known is a dot on the ground.
    """
    shown = percent[-width:] if width else []
    columns = [" " * height] * (width - len(shown)) + [_column(value, height) for value in shown]
    return ["".join(column[row] for column in columns) for row in range(height)]


def _column(value: float | None, height: int) -> str:
    """From the top down."""
    if value is None:
        return UNREAD.rjust(height)
    full = height * (len(EIGHTHS) - 1)
    eighths = min(round(value / 100 * full), full) or (1 if value > 0 else 0)
    whole, rest = divmod(eighths, len(EIGHTHS) - 1)
    return (EIGHTHS[rest] * (rest > 0) + EIGHTHS[-1] * whole).rjust(height)
