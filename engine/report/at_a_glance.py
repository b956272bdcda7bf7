"""The first page: how fragile the network is, where, how sure that is, what to do about it, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.protection import SCHEMES, plan_until
from engine.report.document import Answers, Chapter, Paragraph
from engine.report.fit import PER_INFERENCE, FitRate, fit_of
from engine.units import percent, stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.estimate import Share
    from engine.report.material import Material

PAPER_SECONDS = 1e-3
"""per inference, as the field counts"""

MOST_OF = 0.9
"""of the wrong answers, that the bits named as the worst are behind"""

TENTH = 0.1

ENOUGH = 0.99
"""of the critical faults, detected by an in-field test"""


def glance_chapter(material: Material, rate: FitRate) -> Chapter:
    """Five questions and their answers, for a reader who knows neither the paper nor this program."""
    status = material.status
    rows = (
        ("How fragile?", _fragile(material)),
        ("Where?", _where(material)),
        ("How sure?", _sure(material)),
        ("What to do?", " ".join(_advice(material))),
        ("In safety terms?", _fit(material, rate)),
        ("What did it cost?", _cost(material)),
    )
    return Chapter(
        "At a glance",
        (
            Paragraph(
                f"A trained network, {status.network}, was run on {status.images:,} images of {status.dataset} with "
                "one bit of one stored weight changed at a time, as a hardware fault would change it: "
                f"{status.faults:,} such faults. An answer is wrong here if the network names another class than it "
                "does without the fault."
            ),
            Answers(rows),
        ),
    )


def _fragile(material: Material) -> str:
    results, status = material.results, material.status
    row, shares = results.table_one, results.shares
    some = (
        f"{row.critical_faults:,} of {status.faults:,} faults ({percent(row.critical_faults, status.faults)}) change "
        f"the answer for at least one image"
    )
    if status.dropped:
        return f"{some}. How many answers they change was not asked for."
    accuracy = (
        f"the accuracy is {row.clean_accuracy:.2f} % without a fault and {row.faulty_accuracy:.2f} % on average with "
        "one"
    )
    return (
        f"A fault makes an answer wrong in {_percent(row.critical)} of cases{_between(shares.get('critical'))}; "
        f"{some}; {accuracy}."
    )


def _where(material: Material) -> str:
    critical, weight = material.summary.critical.astype(np.float64), material.summary.weight
    total = float((critical * weight).sum())
    if not total:
        return "Nowhere: no fault changed any answer."
    rates = material.rates
    by_bit = np.bincount(material.bit, critical * weight, material.format.bits) / total
    by_layer = np.bincount(material.layer, critical * weight, len(rates.layers)) / total
    bits = np.argsort(-by_bit, kind="stable")
    count = int(np.searchsorted(np.cumsum(by_bit[bits]), MOST_OF)) + 1
    named = ", ".join(f"{bit} ({_field_of(material, int(bit))})" for bit in bits[:count][:3])
    more = f" and {count - 3} more" if count > 3 else ""
    layer = int(by_layer.argmax())
    own = material.rates.population[layer].sum() / max(material.rates.population.sum(), 1)
    return (
        f"{'Bit' if count == 1 else 'Bits'} {named}{more} of the weights: {100 * by_bit[bits[:count]].sum():.0f} % "
        f"of the wrong answers. By layer, most in {rates.layers[layer]}: {100 * by_layer[layer]:.0f} % of them, with "
        f"{100 * own:.0f} % of the stored bits."
    )


def _field_of(material: Material, bit: int) -> str:
    return next(field.name for field in material.format.fields if field.low <= bit <= field.high)


def _sure(material: Material) -> str:
    results, confidence = material.results, material.confidence
    stated = f"{100 * confidence.stated:g} %"
    parts = []
    if material.is_list:
        parts.append("The faults were given as a list: the numbers are of these faults, and have no intervals.")
    elif material.sampling == "exhaustive":
        parts.append("Every fault of the chosen layers and bits was run: nothing is left to chance.")
    else:
        parts.append(
            f"The faults are a random sample of {material.description['population']:,}. Intervals hold with {stated}; "
            "they count faults, not pairs."
        )
    if results.self_check:
        parts.append(f"The fast method was compared with plain injection: {results.self_check}.")
    if results.audit is not None:
        parts.append(
            f"Pairs that a bound calls safe were not run; an audit says that at most "
            f"{results.audit.pairs.missed_at_most:,.0f} of {material.status.pairs:,} are wrong answers that were "
            "missed."
        )
    return " ".join(parts)


def _advice(material: Material) -> Iterator[str]:
    status = material.status
    if status.dropped or not material.summary.critical.any():
        yield (
            "Nothing needs protection by what was seen."
            if not status.dropped
            else ("Run it with goal 'severities' to learn which bits to protect.")
        )
    else:
        sample = material.protected_bits
        plans = {scheme.name: plan_until(sample, scheme, TENTH) for scheme in SCHEMES}
        correcting = [plan for plan in plans.values() if not plan.scheme.needs_reload]
        best = min(correcting, key=lambda plan: plan.overhead)
        yield (
            f"{best.scheme.name.capitalize() if best.scheme.name.islower() else best.scheme.name} of "
            f"{len(best.groups)} {'layers' if best.scheme.bits_per_word else 'bit positions of single layers'} adds "
            f"{100 * best.overhead:.2g} % of memory and leaves {_percent(100 * best.residual.value)} wrong answers, "
            f"instead of {_percent(material.results.table_one.critical)}."
        )
    tests = material.coverage_of_tests
    enough = next((each for each in tests if each.detected.value >= ENOUGH), tests[-1] if tests else None)
    if enough is not None:
        yield (
            f"As a periodic test, {enough.images} well-chosen images detect {100 * enough.detected.value:.1f} % of the "
            "critical faults that had no part in choosing them."
        )


def _fit(material: Material, rate: FitRate) -> str:
    found = fit_of(material, rate)[PER_INFERENCE.name]
    if found is None:
        return "Not known: pairs were dropped, or too few faults were run."
    if_drawn = ", and if the list was drawn at random" if material.is_list else ""
    budget = ""
    if rate.budget is not None:
        verdict = (
            "within" if found.high <= rate.budget else "above" if found.low > rate.budget else "not clearly within"
        )
        budget = f", {verdict} the budget of {rate.budget:g}"
    return (
        f"{found.value:.3g} FIT ({found.low:.3g} to {found.high:.3g}{budget}): wrong answers in 10^9 hours at "
        f"{rate.source}, if a fault meets one inference{if_drawn}. See the chapter on FIT for other readings."
    )


def _cost(material: Material) -> str:
    status, seconds = material.status, material.results.seconds
    device = material.description["numerics"].get("device", "this machine")
    took = f"computed in {stopwatch(seconds)} on {device}" if seconds is not None else "the time is not known"
    naive = status.pairs * PAPER_SECONDS
    return f"{status.pairs:,} inferences with a fault, {took}; at 1 ms each, as the field counts, {stopwatch(naive)}."


def _percent(value: float) -> str:
    return f"{value:.3g} %"


def _between(share: Share | None) -> str:
    if share is None or share.low == share.high:
        return ""
    return f" ({_percent(100 * share.low)[:-2]} to {_percent(100 * share.high)})"
