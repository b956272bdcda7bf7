"""Whether a method gives what the plain loop gives on the network at hand; where it does not, what agrees is used.

The plain loop flips the bit in an untouched copy of the network, runs the whole of it on the same batch and restores
the bit. Pairs are not only drawn at random: of many faults, those are compared at which a shortcut of the method was
nearest to being refused (a bound just below its limit, a lead just outside tau), where an unsound rule shows first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.errors import InputError, reason_of
from engine.formats.fault_model import FLIPPED
from engine.formats.float32 import FLOAT32
from engine.injection.check.steady import check_steady
from engine.injection.comparison import is_close
from engine.injection.exact.naive import naive_logits
from engine.injection.memory import is_out_of_memory
from engine.injection.method import FAILURES
from engine.injection.network.layers import flat_weight
from engine.injection.outcomes import WeightFaults
from engine.injection.recording import SeverityMatrix
from engine.severity import CRITICAL, MASKED
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from engine.injection.injection import Injection
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.workers import Workers

LEAST_SECONDS = 1.5
"""that a check takes where the share of the campaign's time is less"""

_SHAPES = (13, 32, 5, 64, 24, 128, 256)
"""images of the blocks, one after the other: other shapes take other kernels, and an odd one is padded"""

_LONG_SECONDS = 0.5
"""a plain run that takes longer is made with few images"""

_FIRST_SECONDS = LEAST_SECONDS
"""that the plain loop takes for one fault of each layer, at most, before fewer images are taken: a campaign may be so
short that it waits for its check most of all"""

_POOL = 256
"""faults of a layer, at most, among which the doubtful ones are looked for"""

_POOL_PER_FAULT = 8
"""how many are looked at for each one that the plain loop runs: a method is about that much faster"""

_MOST_FAULTS = 16
"""of a layer that the plain loop runs with one block"""

_SIGN, _EXPONENT, _MANTISSA = FLOAT32.fields
_BITS = (
    (_EXPONENT.high, _EXPONENT.high),
    (_MANTISSA.low, _MANTISSA.high - 7),
    (_SIGN.low, _SIGN.high),
    (_EXPONENT.low, _EXPONENT.high - 1),
    (_MANTISSA.high - 6, _MANTISSA.high),
)
"""first and last of the bits that the flips of a check are drawn from, in turn"""


@dataclass(frozen=True)
class FallBack:
    """A layer whose faults a slower method runs, because the faster one did not agree with the plain loop."""

    layer: str
    method: str
    """what runs them now"""
    reason: str


@dataclass(frozen=True)
class CheckResult:
    """What a check has found."""

    pairs: int
    """that were compared with the plain loop"""
    differences: int
    """pairs that a method got wrong, before it was replaced by what agrees"""
    undecided: int
    """pairs on which plain loops of two batch shapes disagree: rounding decides them"""
    masked: int
    """pairs that only one of both calls masked, the other non-critical; counted, and not a difference for `fast`"""
    fallbacks: tuple[FallBack, ...]
    seconds: float

    @property
    def sentence(self) -> str:
        """The result for a person."""
        found = [f"{self.pairs:,} pairs compared with the plain loop, {self.differences:,} differ"]
        if self.differences:
            layers = "1 layer" if len(self.fallbacks) == 1 else f"{len(self.fallbacks):,} layers"
            found[0] += f" before {layers} fell back to a slower method"
        if self.undecided:
            found.append(f"{self.undecided:,} are decided by rounding")
        if self.masked and self.pairs:
            found.append(f"{100 * self.masked / self.pairs:.2g} % masked for one and non-critical for the other")
        return ", ".join(found)


@dataclass(frozen=True)
class Extent:
    """How long a check goes on; every layer is always checked at least once."""

    pairs: int | None = None
    """to compare; None: the share decides"""
    share: float = 0.0
    """of the seconds that the campaign would take"""
    least_seconds: float | None = None
    """where the share is less; None: `LEAST_SECONDS`"""
    faults: WeightFaults | None = None
    """of the campaign: those of each layer are among the ones that doubtful pairs are looked for in"""
    campaign_images: int = 0
    """of its workload"""


def check(
    injection: Injection,
    plain: nn.Module,
    draw_images: Callable[[int, int], Tensor],
    extent: Extent,
    on_step: OnStep = nobody_waits,
) -> CheckResult:
    """Compare `injection` with the plain loop, and let its layers fall back to what agrees.

    Args:
        injection: of the network; its layers' methods are changed where they do not agree.
        plain: an untouched copy of the network in eval mode, on the same device.
        draw_images: gives n images [n, C, H, W] on the device, for (n, number of the block).
        extent: how long.
        on_step: told how far the check is.

    Raises:
        InputError: the network does not answer the same each time, or not even whole-network runs agree.
    """
    on_step(Step("checking that the network answers the same each time"))
    begun = _Check(injection, plain, draw_images, extent, on_step)
    seconds = begun.seconds_of_a_run()
    check_steady(plain, draw_images(8 if 8 * seconds < _LONG_SECONDS / 10 else 4, 0))
    return begun.run(seconds)


@dataclass
class _Check:
    """One check under way."""

    _injection: Injection
    _plain: nn.Module
    _draw_images: Callable[[int, int], Tensor]
    _extent: Extent
    _on_step: OnStep
    _pairs: int = 0
    _differences: int = 0
    _undecided: int = 0
    _masked: int = 0
    _fallbacks: dict[str, FallBack] = field(default_factory=dict)
    _is_large: bool = False
    """whether the network takes so long that few faults of a layer are run, by any method"""
    _of_layer: dict[int, float] = field(default_factory=dict)
    """seconds per pair of each layer, of the last block"""

    @property
    def _layers(self) -> range:
        return range(len(self._injection.names))

    @property
    def _padded_to(self) -> int:
        """Images that any block is padded to where only large batches can be used, as on a GPU; 0 elsewhere."""
        floor = self._injection.rows.floor
        return floor if floor > max(_SHAPES) else 0

    def run(self, seconds: float) -> CheckResult:
        """Compare until it is enough; `seconds`: of a plain run for one image."""
        started, turn = time.monotonic(), 0
        taken = 0.0
        while not turn or not self._is_enough(taken):
            self._check_block(turn, seconds)
            turn, taken = turn + 1, time.monotonic() - started
        fallbacks = tuple(self._fallbacks.values())
        return CheckResult(self._pairs, self._differences, self._undecided, self._masked, fallbacks, taken)

    def _is_enough(self, taken: float) -> bool:
        if self._extent.pairs is not None:
            return self._pairs >= self._extent.pairs
        least = LEAST_SECONDS if self._extent.least_seconds is None else self._extent.least_seconds
        return taken >= max(least, self._extent.share * self._campaign_seconds())

    def _campaign_seconds(self) -> float:
        """What the campaign would take at the rates of the last block."""
        faults = self._extent.faults
        if faults is None:
            return 0.0
        counts = np.bincount(faults.layer, minlength=len(self._layers))
        work = sum(counts[layer] * seconds for layer, seconds in self._of_layer.items())
        return float(work) * self._extent.campaign_images / self._injection.workers.count

    def seconds_of_a_run(self) -> float:
        """What the plain network takes for one image, by a second run of a few: the first one warms up."""
        images = self._draw_images(max(4, self._padded_to), 0)
        for _ in range(2):
            started = time.perf_counter()
            with torch.inference_mode(), self._injection.workers.rounding():
                self._plain(images.clone()).argmax(1).cpu()
        return (time.perf_counter() - started) / len(images)

    def _check_block(self, turn: int, seconds: float) -> None:
        """Every layer once, with a block of the next shape, or nearly as many images as any block is padded to."""
        count = _SHAPES[turn % len(_SHAPES)]
        longest = min(_LONG_SECONDS, _FIRST_SECONDS / len(self._layers)) if turn == 0 else _LONG_SECONDS
        while count > 4 and count * seconds > longest:
            count //= 2
        count = max(count, self._padded_to - count)
        images = self._draw_images(min(count, self._injection.block_rows), turn)
        started = time.perf_counter()
        block = self._injection.load(images)
        loading = time.perf_counter() - started
        padded = self._plain_loop(block.images, slice(block.count))
        if not is_close(block.logits, padded.golden):
            raise InputError(
                "[model]: the network's answers without a fault are not those of an untouched copy of it, so that no "
                "effect can be told; let it neither change its weights nor keep state between runs"
            )
        alone = padded if len(block.images) == block.count else self._plain_loop(images, slice(block.count))
        faults = self._faults_per_layer(block, block.count * seconds, loading)
        self._is_large = len(_BITS) * len(self._layers) * block.count * seconds > _FIRST_SECONDS
        for layer in self._layers:
            self._on_step(Step("comparing with the plain loop", layer, len(self._layers)))
            self._check_layer(block, alone, padded, layer, faults, turn)

    def _faults_per_layer(self, block: GoldenBlock, seconds: float, loading: float) -> int:
        """How many the plain loop runs, each in so many seconds.

        For a third of the least time, or for as long as the block took to load, which is spent once; or the pairs left.
        """
        wanted = max(LEAST_SECONDS / 3, loading) / max(1e-9, seconds)
        if self._extent.pairs is not None:
            wanted = min(wanted, (self._extent.pairs - self._pairs) / block.count)
        return max(1, min(_MOST_FAULTS, round(wanted / len(self._layers))))

    def _plain_loop(self, images: Tensor, asked: slice) -> _PlainLoop:
        return _PlainLoop(self._plain, self._injection.workers, images, asked)

    def _check_layer(
        self, block: GoldenBlock, alone: _PlainLoop, padded: _PlainLoop, layer: int, faults: int, turn: int
    ) -> None:
        """Compare so many faults with the plain loop, `alone` on the block's images, in doubt `padded` as the block is.

        Padding may be most of a run, and it changes nothing but rounding.
        """
        pool, answers = self._most_doubtful(block, layer, faults, turn)
        expected = alone.answers(pool)
        if padded is not alone and self._wrong(answers, expected, layer)[0].any():
            expected = padded.answers(pool)
        self._pairs += expected.severity.size
        while True:
            wrong, reason = self._wrong(answers, expected, layer)
            undecided = self._undecided_of(wrong, block, pool, expected)
            if not (wrong & ~undecided).any():
                break
            self._fall_back(layer, _count(wrong & ~undecided), wrong.size, reason)
            answers = self._answers(block, layer, pool)
        self._undecided += _count(wrong & undecided)
        if isinstance(answers, _Answers):
            was_run = answers.severity <= CRITICAL
            self._masked += _count(was_run & ((answers.severity == MASKED) != (expected.severity == MASKED)))

    def _most_doubtful(
        self, block: GoldenBlock, layer: int, count: int, turn: int
    ) -> tuple[WeightFaults, _Answers | str]:
        """The faults of a layer that the plain loop runs, and the method's answers for them."""
        drawn = draw_flips(layer, self._weight(layer), max(len(_BITS), count), turn)
        if self._is_large and self._injection.is_bit_equal(layer):  # which doubts nothing: a pool is not worth its time
            doubtful = self._doubtful(layer, count, turn)
            own = self._own_faults(layer, doubtful, turn) if doubtful else None
            of_drawn = count - (0 if own is None else len(own))
            pool = drawn.take(np.sort((np.arange(of_drawn) + turn) % len(drawn)))
            pool = pool if own is None else pool.joined(own)
            return pool, self._answers(block, layer, pool)
        own = self._own_faults(layer, min(_POOL, _POOL_PER_FAULT * count), turn)
        pool = drawn if own is None else drawn.joined(own)
        answers = self._answers(block, layer, pool)
        rows = self._choose(answers, len(drawn), layer, count, turn)
        return pool.take(rows), answers[rows] if isinstance(answers, _Answers) else answers

    def _weight(self, layer: int) -> Tensor:
        weight = self._plain.get_submodule(self._injection.names[layer]).weight
        assert isinstance(weight, torch.Tensor)
        return weight

    def _wrong(self, answers: _Answers | str, expected: _Answers, layer: int) -> tuple[NDArray[np.bool_], str | None]:
        """Which answers are wrong, and why where they all are; of `fast`, masked or non-critical is not judged."""
        if isinstance(answers, str):
            return np.ones_like(expected.nonfinite), f"it fails ({answers})"
        return answers.differs(expected, strict=self._injection.is_bit_equal(layer)), None

    def _fall_back(self, layer: int, wrong: int, pairs: int, failure: str | None) -> None:
        name, before = self._injection.names[layer], self._injection.method_of(layer)
        reason = failure or f"{wrong:,} of {pairs:,} pairs differed from the plain loop"
        self._differences += wrong
        if not self._injection.fall_back(layer):
            raise InputError(
                f"[model]: faults in {name}: {reason}, although the whole network is run for each fault, so that no "
                "severity would mean anything; let the network neither change its weights nor keep state between runs"
            )
        self._fallbacks[name] = FallBack(name, self._injection.method_of(layer), f"{before}: {reason}")

    def _own_faults(self, layer: int, count: int, turn: int) -> WeightFaults | None:
        """Some faults of the campaign in a layer, others at each turn."""
        faults = self._extent.faults
        own = np.empty(0, dtype=np.int64) if faults is None else np.flatnonzero(faults.layer == layer)
        if faults is None or not len(own):
            return None
        chosen = np.random.default_rng((turn, layer)).choice(own, min(count, len(own)), replace=False)
        return faults.take(np.sort(chosen))

    def _answers(self, block: GoldenBlock, layer: int, faults: WeightFaults) -> _Answers | str:
        """The method's, with the time it takes noted; what was said where it failed."""
        recorder = _DoubtRecorder(len(faults), block.logits)
        started = time.perf_counter()
        try:
            self._injection.replay(block, layer, faults, recorder)
        except FAILURES as error:
            if is_out_of_memory(error):
                raise
            return reason_of(error)
        answers = recorder.answers()
        self._of_layer[layer] = (time.perf_counter() - started) / answers.severity.size
        return answers

    def _choose(self, answers: _Answers | str, drawn: int, layer: int, count: int, turn: int) -> NDArray[np.int64]:
        """Rows of the faults that the plain loop runs: half of them drawn ones, half with the most doubtful pairs.

        Of equally doubtful ones, those of the campaign come first.
        """
        doubtful = self._doubtful(layer, count, turn)
        rows = (np.arange(count - doubtful) + turn) % drawn
        if isinstance(answers, str):
            return np.unique(rows) if len(rows) else np.array([turn % drawn])
        most_doubtful = np.argsort(answers.doubt.max(axis=1, initial=0), kind="stable")[::-1][:doubtful]
        return np.unique(np.concatenate([rows, most_doubtful]))

    @staticmethod
    def _doubtful(layer: int, count: int, turn: int) -> int:
        """How many of the faults of a layer are not drawn ones.

        Of an odd number, the one left over is by turns a drawn and a doubtful one, in every second layer the other
        way round: a large network has time for one fault of a layer only.
        """
        return (count + (turn + layer) % 2) // 2

    def _undecided_of(
        self, wrong: NDArray[np.bool_], block: GoldenBlock, faults: WeightFaults, expected: _Answers
    ) -> NDArray[np.bool_]:
        """[faults, images] pairs on which a plain loop of another batch shape differs, of faults with `wrong` pairs."""
        undecided = np.zeros_like(wrong)
        rows = np.flatnonzero(wrong.any(axis=1))
        if len(rows):
            twice, count = torch.cat([block.images.flip(0), block.images]), len(block.images)
            answers = self._plain_loop(twice, slice(count, count + block.count)).answers(faults.take(rows))
            undecided[rows] = answers.differs(expected[rows], strict=True)
        return undecided


@dataclass(frozen=True)
class _Answers:
    """What some faults do to the images of a block, each [faults, images]."""

    severity: NDArray[np.uint8]
    prediction: NDArray[np.int64]
    """-1 where it is golden's class"""
    nonfinite: NDArray[np.bool_]
    doubt: NDArray[np.float32]
    """how near a shortcut was to being refused, 0 where there was none"""

    def __getitem__(self, some: Any) -> _Answers:
        """The answers of some faults, or for some images."""
        return _Answers(*(answers[some] for answers in vars(self).values()))

    def differs(self, other: _Answers, strict: bool) -> NDArray[np.bool_]:
        """[faults, images] where a critical label, a prediction or a flag differs; if `strict`, any severity."""
        is_critical = self.severity == CRITICAL
        differs = (is_critical != (other.severity == CRITICAL)) | (self.nonfinite != other.nonfinite)
        differs |= ~self.nonfinite & (self.prediction != other.prediction)
        return np.asarray(differs | (strict & (self.severity != other.severity)))


class _DoubtRecorder(SeverityMatrix):
    """Severities and predictions, and how near the shortcuts were to being refused."""

    looks_at_doubt = True

    def __init__(self, faults: int, golden_logits: Tensor) -> None:
        """`golden_logits`: [images, classes]."""
        super().__init__(faults, golden_logits)
        self._faults = faults
        self._doubt = torch.zeros(faults, len(golden_logits), device=golden_logits.device)

    def record_certain(self, faults: Tensor, images: Tensor, severity: Tensor, doubt: Tensor | None) -> None:
        """Take over the known severities of pairs, and note how near they were to being looked at."""
        super().record_certain(faults, images, severity, doubt)
        if doubt is not None:
            self._doubt[faults, images] = torch.where(doubt < 1, doubt, 0).to(self._doubt.dtype)

    def record_bounded(self, faults: Tensor, images: slice, severity: Tensor, doubt: Tensor | None) -> None:
        """Take over the severities that bounds give, and note how near the pairs were to being run."""
        super().record_bounded(faults, images, severity, doubt)
        if doubt is not None:
            self._doubt[:, images].index_copy_(0, faults, torch.where(severity.bool(), doubt, 0))

    def record_screened(self, screened: Tensor, by_change: int, doubt: Tensor | None) -> None:
        """Take over which pairs were not run, and note how near they were to being run."""
        super().record_screened(screened, by_change, doubt)
        if doubt is not None:
            self._doubt = torch.where(screened, doubt, self._doubt)

    def answers(self) -> _Answers:
        """All of it, on the host."""
        outcomes = self.outcomes(np.arange(self._faults))
        prediction = np.full(outcomes.severity.shape, -1, dtype=np.int64)
        nonfinite = np.zeros(outcomes.severity.shape, dtype=bool)
        pairs = (outcomes.critical_fault, outcomes.critical_image)
        prediction[pairs], nonfinite[pairs] = outcomes.prediction, outcomes.nonfinite
        return _Answers(outcomes.severity, prediction, nonfinite, self._doubt.cpu().numpy())


class _PlainLoop:
    """The plain loop on one batch of images."""

    def __init__(self, plain: nn.Module, workers: Workers, images: Tensor, asked: slice) -> None:
        """Run `images` [n, C, H, W] without a fault; answers are given for those at `asked`."""
        self._plain, self._workers, self._images, self._asked = plain, workers, images, asked
        with torch.inference_mode(), workers.rounding():
            self.golden: Tensor = plain(images.clone())[asked]
            """[images asked, classes]"""

    def answers(self, faults: WeightFaults) -> _Answers:
        """What each fault does to the images asked."""
        recorder = _DoubtRecorder(len(faults), self.golden)
        places = torch.arange(len(self.golden), device=self.golden.device)
        with self._workers.rounding():
            runs = naive_logits(self._plain, faults, self._images, len(self._images))
            for row, logits in enumerate(runs):
                recorder.record(torch.full_like(places, row), places, logits[self._asked])
        return recorder.answers()


def _count(pairs: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(pairs))


def draw_flips(layer: int, weight: Tensor, count: int, turn: int) -> WeightFaults:
    """Flips of some bits of some weights of a layer: low and high ones, the sign and the highest of the exponent.

    Args:
        layer: its index.
        weight: its weight, of any shape.
        count: how many flips.
        turn: of the draw; another one gives other flips.
    """
    generator = np.random.default_rng((layer, turn))
    index = generator.choice(weight.numel(), count)
    first, last = np.array([_BITS[number % len(_BITS)] for number in range(count)]).T
    bit = generator.integers(first, last, endpoint=True).astype(np.uint8)
    golden = flat_weight(weight)[index]
    value = FLOAT32.faulty_values(golden, bit, np.full(count, FLIPPED, dtype=np.int8))
    layers = np.full(count, layer, dtype=np.int32)
    return WeightFaults(np.arange(count), layers, index, value, np.ones(count, dtype=bool))
