"""Runs in a copy of the packages that has the new executor, and prints what comes of a config that names it.

Arguments: a folder that may be written to.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

import engine
from engine.config.campaign_config import load_config
from engine.config.fields import config_fields
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.store.sql.sql import SqlSession
from tests.small_campaign import write_config
from tests.test_sample_configs import Silent


def severities(folder: Path, executor: str) -> list[tuple[int, ...]]:
    """Of a campaign by an executor."""
    config = load_config(write_config(folder, run={"executor": executor}))
    assert execute(prepare(config), folder / executor, Silent(), lambda: False).state == "finished"
    with SqlSession(folder / executor) as session:
        return list(session.query("SELECT fault_id, image_id, severity FROM severity ORDER BY ALL"))


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    (field,) = (field for field in config_fields() if field.key == "executor")
    answer = {
        "package": str(Path(engine.__file__).parents[1]),
        "choices": list(field.choices),
        "is_same": severities(folder, "backwards") == severities(folder, "local"),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
