"""The processor as /proc tells of it."""

from pathlib import Path

from dear_tui.machine.cpu import CpuReader


def write(proc: Path, *busy_and_idle: tuple[int, int]) -> None:
    cores = [f"cpu{number - 1 if number else ''} {busy} 0 0 {idle} 0 0 0 0 0 0" for number, (busy, idle) in
             enumerate(busy_and_idle)]  # fmt: skip
    (proc / "stat").write_text("\n".join([*cores, "intr 5"]))


def test_utilisation_is_of_the_time_between_two_readings(tmp_path: Path) -> None:
    reader = CpuReader(tmp_path)
    write(tmp_path, (100, 900), (100, 400), (0, 500))
    assert reader.read().utilisation is None
    write(tmp_path, (250, 950), (200, 400), (50, 550))
    cpu = reader.read()
    assert (cpu.utilisation, cpu.per_core) == (75, (100, 50))


def test_memory_that_cannot_be_had_and_the_model(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   400 kB\n")
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Some CPU: 3 GHz\nmodel name\t: Some CPU: 3 GHz\n")
    cpu = CpuReader(tmp_path).read()
    assert (cpu.name, cpu.memory_used, cpu.memory_total) == ("Some CPU: 3 GHz", 600 * 1024, 1000 * 1024)


def test_without_proc_the_load_remains(tmp_path: Path) -> None:
    cpu = CpuReader(tmp_path / "none").read()
    assert (cpu.name, cpu.utilisation, cpu.per_core, cpu.memory_used) == ("CPU", None, (), None)
    assert cpu.load is not None
    assert cpu.cores >= 1
