"""What images are taken for under faults: golden classes against faulty ones, over critical pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.faults.group import FaultGroup
from engine.store.read.fault_results import members_sql, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.store.read.fault_results import Read


@dataclass(frozen=True, eq=False)
class Confusion:
    """Critical pairs, by golden class and faulty class: C classes up to the highest that there is a pair of."""

    pairs: NDArray[np.int64]
    """[C, C] pairs of the class that golden takes the image for, and the one that it is taken for under the fault"""
    nonfinite: NDArray[np.int64]
    """[C] pairs of each golden class with an output that is not finite: they are of no faulty class"""

    @property
    def classes(self) -> int:
        """C."""
        return len(self.pairs)

    @property
    def total(self) -> NDArray[np.int64]:
        """[C] critical pairs of each golden class."""
        return np.asarray(self.pairs.sum(axis=1) + self.nonfinite)


def confusion_sql(campaign: int, group: FaultGroup) -> str:
    """Critical pairs of a group of faults by golden class and prediction."""
    of_group = "" if group == FaultGroup() else f"\n    AND fault_id IN ({members_sql(campaign, group)})"
    return f"""\
SELECT golden_class, prediction, count(*) FILTER (NOT nonfinite) AS pairs, count(*) FILTER (nonfinite) AS nonfinite
FROM critical JOIN images USING (campaign, image_id)
WHERE campaign = {campaign}{of_group}
GROUP BY golden_class, prediction
ORDER BY golden_class, prediction"""


def read_confusion(read: Read, campaign: int, group: FaultGroup) -> Confusion:
    """The same as `confusion_sql` has, as a matrix."""
    rows = {name: whole(column) for name, column in read(confusion_sql(campaign, group)).items()}
    golden, prediction = rows["golden_class"], rows["prediction"]
    is_of_class = rows["pairs"] > 0  # the prediction of a pair that is not finite is what NaN leave to chance
    classes = 1 + max(golden.max(initial=-1), prediction[is_of_class].max(initial=-1))
    pairs, nonfinite = np.zeros((classes, classes), np.int64), np.zeros(classes, np.int64)
    pairs[golden[is_of_class], prediction[is_of_class]] = rows["pairs"][is_of_class]
    np.add.at(nonfinite, golden, rows["nonfinite"])
    return Confusion(pairs, nonfinite)
