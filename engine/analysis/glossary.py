"""The words of tables: what each means, once for the command line, the screens and the report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.metrics.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engine.analysis.result_table import Table

TERMS: Mapping[str, str] = {
    # pairs and faults
    "pair": "one fault met by one image",
    "masked": "no output (logit) changes",
    "non-critical": "outputs change, but not the answer: the class with the largest one (top-1)",
    "critical": "the answer differs from the fault-free network's (golden), be it right or wrong",
    "not finite": "an output is NaN or infinite, which counts as critical",
    "screened": "not run, because a bound says that the answer stays",
    "dropped": "not run, because the fault was known to be critical",
    "not critical": "masked, non-critical and screened pairs together",
    "critical fault": "critical for at least one of the images",
    "population": "all faults that could be drawn",
    "from, to": "the interval that holds the value of all possible faults with this confidence",
    # accuracy
    "clean accuracy": "of the network without a fault",
    "faulty accuracy": "under one fault, the mean over the faults",
    "accuracy": "on these images; a fault may also correct answers, and then costs less, or even raises it",
    "point": "a percentage point of accuracy",
    "points lost": "of accuracy in percentage points, the mean over the faults",
    "lower the accuracy": "faults that do so; others change answers and cost nothing",
    # the audit
    "skipped": "called safe by a bound, and not run",
    "audited": "drawn at random from the skipped ones, and run all the same",
    "missed": "audited ones that are critical",
    "at most missed": "the upper bound, of all that was skipped",
    # orders and selections of images
    "correlation": "1: the same order of the images; 0: nothing in common; -1: the opposite order",
    "area under the curve": "of the critical faults found against the images run in this order (APFD); near 100 %, the "
    "first images find nearly all",
    "images for all": "of the order, until every critical fault was seen",
    "greedy": "knows the results, and takes the image that shows most faults not seen yet",
    "random": "the mean over orders that are drawn",
    "luckiest, unluckiest": "of twenty random orders",
    "smallest": "the fewest images that detect every critical fault, those that show most first",
    "central": "images whose metric is near its value on the border between two classes",
    "random (mean of 5)": "as many images as are central, drawn five times",
    "pre-plateau": "the hardest images, down to the plateau, where the ranked metric hardly falls any more",
    "faults, of critical": "faults that are critical for at least one of these images, and their share of all critical "
    "ones",
    "faults detected": "those that are critical for at least one of these images",
    "at 1 ms each": "the time, did one image under one fault take 1 ms, as the paper counts",
    "measured": "this campaign's own time for as many images",
    "detected": "a critical fault is, where it is critical for one of these images",
    "each fault shown": "by so many of the images, where so many show it",
    # protection
    "triplication": "each bit is stored three times, and two outvote a wrong one",
    "duplication, reloaded": "each bit is stored twice; where they differ, the weight is loaded again",
    "word parity, reloaded": "a parity bit beside each weight; where it is wrong, the weight is loaded again",
    "SEC-DED": "seven check bits beside each weight, which correct one wrong bit and detect two",
    "range restriction": "a value outside its layer's range is replaced when it is loaded",
    "first": "layers, in the order in which protecting some of their bits removes most for what it adds",
    "bits or layers": "how many are protected: one bit of a layer's weights each, or whole weights of a layer",
    "more memory": "bits that are added, in percent of those of all weights",
    "still critical": "pairs that are, with this protection",
    # safety
    "FIT": "failures in a billion hours of operation",
    "some image": "a failure is a fault that is critical for at least one image",
    "SDC": "silent data corruption, an answer that is wrong without a sign of it",
    "softmax": "the outputs as probabilities of the classes",
    "diagnostic coverage": "the share of critical faults that the test detects",
    # time
    "took": "from start to end",
    "computed in": "the time of computing alone",
    "read off": "taken from the campaign with all images",
    # speed
    "naive": "the plain loop, which runs the whole network for each pair",
    "x naive": "so many times as fast as the naive loop",
    "x naive, goal": "the same, where only which faults are critical is asked for",
    "batch": "images at once; of a method images in a block",
    "pairs run": "the rest is known before the whole network has run",
    "multiplications": "of a pair in the mean; x fewer: than naive",
    "of matrix rate": "of the multiplications per second that this machine reaches in a product of matrices",
    "FLOPs": "floating-point operations",
    # what a campaign depends on
    "batch floor": "images in a batch from which on logits do not depend on how many there are",
    "tau": "of the largest value met; answers that lead by less are computed again exactly",
    "fingerprint": "of all that the results depend on",
    "check undecided": "pairs on which the plain loop disagrees with itself, by rounding",
    "check masked": "pairs masked for the method or the plain loop alone, non-critical for the other",
    # a campaign that is not finished
    "so far": "the hardest images run first, so that shares of pairs fall, and critical faults become more, until it "
    "is finished",
}
"""term, as it stands in a table -> what it means; metrics bring their own words along"""


def glossed(*terms: str) -> tuple[str, ...]:
    """What terms mean, a line each.

    Raises:
        KeyError: nobody says what a term means.

    >>> glossed("pair", "el2n")
    ('pair: one fault met by one image', 'el2n: the distance of the probabilities from the label')
    """
    return tuple(f"{term}: {METRICS[term].title if term in METRICS else TERMS[term]}" for term in terms)


def metrics_in(names: Iterable[str]) -> tuple[str, ...]:
    """Those of some names that are metrics with words of their own."""
    return tuple(name for name in names if name in METRICS)


def once(tables: Iterable[Table]) -> Iterator[Table]:
    """Tables that are read one after the other: what a term means stands below the first of them that has it."""
    told = set[str]()
    for table in tables:
        yield replace(
            table,
            columns=tuple(replace(column, term="") if column.term in told else column for column in table.columns),
            terms=tuple(term for term in table.terms if term not in told),
        )
        told.update(table.terms, (column.term for column in table.columns))
