"""The first page: how fragile the network is, where, how sure that is, what to do about it, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.protection import plan_until
from engine.analysis.tables import SECONDS_PER_INFERENCE
from engine.report.document import Answers, Chapter, Paragraph
from engine.report.fit import ANY_IMAGE, PER_INFERENCE, FitRate, fit_of, fit_words
from engine.units import percent, stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.analysis.estimate import Share
    from engine.analysis.protection import CellGroup
    from engine.report.material import Material

MOST_OF = 0.9
"""of the changed answers, that the bits named as the worst are behind"""

STANDS_OUT = 1.5
"""times its share of the stored bits, from which on a layer is a weak spot"""

MOST_NAMED = 6
"""layers, in a sentence"""

NOTABLE = 0.1
"""of the changed answers, that a layer must have to be named as a weak spot"""

TENTH = 0.1

ENOUGH = 0.99
"""of the critical faults, detected by an in-field test, at the lower end of the interval"""

FEWEST_TO_ADVISE = 100
"""faults; from fewer nothing follows about what needs no protection"""


def glance_chapter(material: Material, rate: FitRate) -> Chapter:
    """Six questions and their answers, for a reader who knows neither the paper nor this program."""
    status = material.status
    faults = f"{status.faults:,} such faults were tried" if status.faults != 1 else "one such fault was tried"
    return Chapter(
        "At a glance",
        (
            Paragraph(
                f"A trained network, {status.network}, was run on {material.images_in_words} ({status.dataset}) with "
                "one bit of one stored weight changed at a time, as a hardware fault would change it; "
                f"{faults}{_filter_words(material)}. An answer is called changed if the network names another class "
                "than it does without the fault, whatever the right class is."
            ),
            Answers(
                (
                    ("How fragile?", _fragile(material)),
                    ("Where?", _where(material)),
                    ("How sure?", " ".join(_sure(material))),
                    ("What to do?", " ".join(_advice(material))),
                    ("In safety terms?", _fit(material, rate)),
                    ("What did it cost?", _cost(material)),
                )
            ),
        ),
    )


def _filter_words(material: Material) -> str:
    return ", in some layers and bits alone" if material.is_filtered else ""


def _fragile(material: Material) -> str:
    results, status = material.results, material.status
    row = results.table_one
    some = (
        f"{row.critical_faults:,} of {status.faults:,} faults ({percent(row.critical_faults, status.faults)}) change "
        "the answer for at least one image"
    )
    if status.dropped:
        return f"{some}. How many answers they change was not asked for."
    on_these = "" if material.has_all_images else "on these images "
    return (
        f"Of all answers given with one fault, {_percent(row.critical)} differ from the fault-free answer"
        f"{_between(material.sample.mean(material.summary.critical))}. {some[:1].upper()}{some[1:]}. The accuracy "
        f"{on_these}is {row.clean_accuracy:.2f} % without a fault and {row.faulty_accuracy:.2f} % on average with one."
    )


def _where(material: Material) -> str:
    """Which bits and layers the changed answers come from; where they were not counted, the critical faults."""
    counts = material.summary.critical > 0 if material.status.dropped else material.summary.critical
    what = "critical faults" if material.status.dropped else "changed answers"
    found = counts * material.summary.weight
    total = float(found.sum())
    if not total:
        return "Nowhere that was tried: no fault changed any answer."
    rates = material.rates
    by_bit = np.bincount(material.bit, found, material.format.bits) / total
    bits = np.argsort(-by_bit, kind="stable")
    count = int(np.searchsorted(np.cumsum(by_bit[bits]), MOST_OF)) + 1
    named = ", ".join(f"{bit} ({_field_of(material, int(bit))})" for bit in bits[:count][:3])
    more = f" and {count - 3} more" if count > 3 else ""
    of_bits = f"{_share_words(by_bit[bits[:count]].sum())} of the {what}"
    worst = f"{'Bit' if count == 1 else 'Bits'} {named}{more} of the {material.format.name} weights: {of_bits}"
    if material.status.dropped:
        worst += "."
    else:
        hit = (material.summary.critical > 0) * material.summary.weight
        of_faults = float(hit[np.isin(material.bit, bits[:count])].sum() / hit.sum())
        worst += f", and {_share_words(of_faults)} of the faults that change any."
    own = rates.population.sum(axis=1) / max(int(rates.population.sum()), 1)
    if np.count_nonzero(own) < 2 or material.is_list:
        return worst
    by_layer = np.bincount(material.layer, found, len(rates.layers)) / total
    density = np.where(by_layer >= NOTABLE, by_layer / np.maximum(own, 1e-12), 0)
    weak = density.max() > STANDS_OUT
    layer = int(np.argmax(density if weak else by_layer))
    beside = f"{100 * own[layer]:.0f} % of all stored bits and {100 * by_layer[layer]:.0f} % of the {what}"
    return f"{worst} {'One layer stands out' if weak else 'No layer stands out'}: {rates.layers[layer]} has {beside}."


def _field_of(material: Material, bit: int) -> str:
    return next(field.name for field in material.format.fields if field.low <= bit <= field.high)


def _sure(material: Material) -> Iterator[str]:
    results, stated = material.results, f"{100 * material.confidence.stated:g}"
    if material.is_list:
        yield "The faults were given as a list: the numbers are of these faults, and have no intervals."
    elif material.sampling == "exhaustive":
        yield "Every fault of the chosen layers and bits was tried: of the faults nothing is left to chance."
    else:
        yield (
            f"The faults are a random sample of {material.description['population']:,}. Ranges (a to b, at most, at "
            f"least) are limits with {stated} % confidence; they cover that faults were sampled, and nothing else."
        )
    if not material.has_all_images:
        yield f"The images are {material.images_in_words}: what they leave open has no range."
    numerics = material.description["numerics"]
    if results.self_check and numerics.get("check_pairs"):
        pairs, differences = int(numerics["check_pairs"]), int(numerics.get("check_differences", 0))
        if not differences:
            yield (
                f"The program takes shortcuts: in {pairs:,} cases of a fault and an image its answer was checked "
                "against simply running the faulty network, and none differs."
            )
        else:
            yield f"Compared with plain fault injection: {results.self_check}."
    if results.audit is not None:
        yield (
            "Cases that a bound calls safe were not run; an audit of some says that at most "
            f"{results.audit.pairs.missed_at_most:,.0f} of {material.status.pairs:,} are changed answers that were "
            f"missed, with {100 * results.audit.confidence:g} %; the upper ends of the ranges have room for them."
        )


def _advice(material: Material) -> Iterator[str]:
    status = material.status
    if status.dropped:
        yield 'Run it with [run] goal = "severities" to learn which bits to protect.'
    elif not material.summary.critical.any():
        if status.faults < FEWEST_TO_ADVISE:
            yield f"{status.faults:,} faults that change no answer tell nothing yet: try more."
        else:
            yield "Of what was tried nothing needs protection; at most how much could is in the chapter on FIT."
    else:
        yield _protection(material)
    tests = material.coverage_of_tests
    enough = next((each for each in tests if each.detected.low >= ENOUGH), tests[-1] if tests else None)
    if enough is not None:
        images = "one well-chosen image detects" if enough.images == 1 else f"{enough.images} well-chosen images detect"
        least = "" if enough.detected.is_known else f" (at least {100 * enough.detected.low:.1f} %)"
        yield (
            f"Against faults that stay, a periodic test: {images} {100 * enough.detected.value:.1f} %{least} of the "
            "faults that change some answer, measured on faults that did not choose the images."
        )


def _protection(material: Material) -> str:
    """The cheapest scheme that corrects, for a tenth of the changed answers."""
    sample = material.protected_bits
    plans = [plan_until(sample, scheme, TENTH) for scheme in material.schemes if not scheme.needs_reload]
    best = min(plans, key=lambda plan: plan.overhead)
    layers = sorted({group.layer for group in best.groups})
    bits = sorted({group.bit for group in best.groups if group.bit is not None}, reverse=True)
    others = f" and {len(layers) - MOST_NAMED} more" if len(layers) > MOST_NAMED else ""
    names = ", ".join(sample.names[layer] for layer in layers[:MOST_NAMED]) + others
    listed = ", ".join(map(str, bits[:4])) + (" ..." if len(bits) > 4 else "")
    what = f"bit{'s' if len(bits) > 1 else ''} {listed}" if bits else "all words"
    residual = material.sample.opened(best.residual)
    most = "" if residual.is_known else f" (at most {_percent(100 * residual.high)})"
    of_what = "of the answers under the listed faults " if material.is_list else "of answers "
    name = best.scheme.name if best.scheme.name.isupper() or "-" in best.scheme.name else best.scheme.name.capitalize()
    return (
        f"{name} of {what} in {names} adds {100 * best.overhead:.2g} % to the memory of the weights; about "
        f"{_percent(100 * residual.value)}{most} {of_what}would still change, instead of "
        f"{_percent(material.results.table_one.critical)}. {_share_words(_left(material, best.groups))} of the faults "
        "that change some answer are in other bits."
    )


def _left(material: Material, groups: Sequence[CellGroup]) -> float:
    """The share of critical faults that are in none of some groups of bits, 0..1."""
    hit = (material.summary.critical > 0) * material.summary.weight
    is_in = np.zeros(len(hit), np.bool_)
    for group in groups:
        is_in |= (material.layer == group.layer) & (True if group.bit is None else material.bit == group.bit)
    return float(hit[~is_in].sum() / hit.sum())


def _fit(material: Material, rate: FitRate) -> str:
    if material.is_list:
        return "Not told of a list of faults, which stands for no others: draw a sample for it."
    found = fit_of(material, rate)
    one, some = found[PER_INFERENCE.name], found[ANY_IMAGE.name]
    if some is None:
        return "Not known: too few faults were tried."
    of_what = ", of the layers and bits that were tried alone" if material.is_filtered else ""
    until = "replaced" if material.is_stuck else "loaded again"
    images = f"{material.status.images:,} image{'s' if material.status.images != 1 else ''}"
    stays = (
        f"If it stays until the weights are {until}, and counts as soon as it changes the answer of one of these "
        f"{images}: {fit_words(some)}, more with more images"
    )
    rate_words = (
        f"Both assume {rate.per_mbit:,.6g} upsets in a billion hours for each Mbit and grow with that rate{of_what}; "
        "faults outside the weights are not in them."
    )
    if one is None:
        return f"{stays}. {rate_words}"
    meets = f"If each upset affects one inference, on an image like these: {fit_words(one)}{_verdict(one, rate)}."
    return f"{meets} {stays}{_verdict(some, rate)}. {rate_words}"


def _verdict(found: Share, rate: FitRate) -> str:
    if rate.budget is None:
        return ""
    verdict = "within" if found.high <= rate.budget else "above" if found.low > rate.budget else "not clearly within"
    return f", {verdict} the budget of {rate.budget:g}"


def _cost(material: Material) -> str:
    status, seconds = material.status, material.results.seconds
    device = material.description["numerics"].get("device", "this machine")
    took = f"computed in {stopwatch(seconds)} on {device}" if seconds is not None else "the time is not known"
    ran = status.count_run() + status.audited
    cases = f"{status.pairs:,} cases of a fault and an image"
    only = "" if ran >= status.pairs else f", of which {ran:,} had to be run"
    naive = stopwatch(status.pairs * SECONDS_PER_INFERENCE)
    return f"{cases}{only}, {took}; one by one at 1 ms each, as is usual in papers: {naive}."


def _share_words(share: float) -> str:
    """Of 0..1; what is not all is not told as all."""
    return f"{100 * share:.1f} %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def _percent(value: float) -> str:
    return f"{value:.3g} %"


def _between(share: Share | None) -> str:
    if share is None or share.is_known:
        return ""
    return f" ({_percent(100 * share.low)[:-2]} to {_percent(100 * share.high)})"
