"""A finished campaign beside the published counts of the same faults.

python -m tests.benchmarks.published_list STORE CAMPAIGN ResNet20_FL.csv

The campaign is of `sample_configs/resnet20-published-list.toml`, or of the same without `bits`. A line for each bit and
one for all: the share of pairs that are critical, published and here; then fault by fault the correlation of the
counts, their mean and their largest difference in images. Counted twice: critical by top-1 alone, as the published
ones were, and with every pair critical that has a logit that is not finite.
"""

from __future__ import annotations

import csv
import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from engine.store.sql.sql import SqlSession

COUNTS = """
SELECT layer, tensor_index, bit, count(*) FILTER (prediction <> golden_class), count(image_id)
FROM faults LEFT JOIN critical USING (campaign, fault_id) LEFT JOIN images USING (campaign, image_id)
WHERE campaign = {} GROUP BY fault_id, layer, tensor_index, bit
"""


def main() -> None:
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    store, campaign, path = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    with path.open(encoding="utf-8", newline="") as file:
        published = {
            (row["Layer"], row["TensorIndex"], int(row["Bit"])): (int(row["critical"]), int(row["n_injections"]))
            for row in csv.DictReader(file)
        }
    with closing(SqlSession(store)) as session:
        ours = {(layer, index, bit): counts for layer, index, bit, *counts in session.query(COUNTS.format(campaign))}
    faults = sorted(ours.keys() & published.keys(), key=lambda fault: fault[2])
    print(f"{len(faults):,} faults are in both; {len(ours) - len(faults):,} only here")
    bits = np.array([bit for _, _, bit in faults])
    theirs, images = np.array([published[fault] for fault in faults]).T
    counts = np.array([ours[fault] for fault in faults]).T
    for name, here in zip(("by top-1", "with all that are not finite"), counts, strict=True):
        print(f"\n{name}\n bit  faults  published %    here %  correlation  mean diff.  largest")
        for bit in [*np.unique(bits), None]:
            of = bits == bit if bit is not None else np.ones(len(bits), dtype=bool)
            _print_row("all" if bit is None else str(bit), theirs[of], here[of], images[of].sum())


def _print_row(name: str, theirs: np.ndarray, here: np.ndarray, pairs: int) -> None:
    difference = np.abs(here - theirs)
    varies = theirs.std() > 0 and here.std() > 0
    correlation = f"{np.corrcoef(theirs, here)[0, 1]:.8f}" if varies else "-"
    print(
        f"{name:>4} {len(theirs):7,} {100 * theirs.sum() / pairs:12.4f} {100 * here.sum() / pairs:9.4f} "
        f"{correlation:>12} {difference.mean():11.2f} {difference.max():8,}"
    )


if __name__ == "__main__":
    main()
