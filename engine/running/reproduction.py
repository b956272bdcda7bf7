"""Running what a report tells of again, from nothing but the report, and comparing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from engine.config.campaign_config import parse_config
from engine.errors import InputError
from engine.paths import file_bytes, shown
from engine.printable import printable_line
from engine.report.record import FORMAT, digest
from engine.running.execution import execute
from engine.running.fingerprint import fingerprint, shown_item, without_engine
from engine.running.preparation import prepare
from engine.severity import COUNTS, SEVERITIES
from engine.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.running.execution import Listener

MOST_THREADS = 1024
"""of a CPU: more are no machine's, and torch ends where it is asked for them"""

MATTERS = ("weights", "images", "faults", "workload", "code", "network")
"""items of the identity without which it is another campaign; under others it may come out the same all the same"""


@dataclass(frozen=True)
class Reported:
    """What a report says of one campaign."""

    id: int
    name: str
    config: Mapping[str, Any]
    identity: Mapping[str, str]
    threads: int | None
    counts: Mapping[str, int]
    """pairs of each severity"""
    sha256: str
    """of its critical pairs"""


@dataclass(frozen=True)
class Reproduced:
    """What came out of running it again."""

    reported: Reported
    counts: Mapping[str, int]
    is_same: bool
    """whether the same pairs are critical"""
    changed: tuple[str, ...] = ()
    """what it depends on that is another thing now, each as a few words"""

    @property
    def sentence(self) -> str:
        """What came out, in words."""
        name = f"campaign {self.reported.id}, {self.reported.name}"
        then, now = (", ".join(f"{kind.replace('_', '-')} {counts[kind]:,}" for kind in SEVERITIES if kind in counts)
                     for counts in (self.reported.counts, self.counts))  # fmt: skip
        if not self.counts:
            return f"{name}: does not reproduce, because it is not the same: {'; '.join(self.changed)}"
        verdict = (
            "reproduces: the same pairs are critical"
            if self.is_same
            else "does not reproduce: other pairs are critical"
        )
        pairs = f"pairs {now}" if then == now else f"pairs then {then}; now {now}"
        other = f" (though with {'; '.join(self.changed)})" if self.changed else ""
        return f"{name}: {verdict}{other}; {pairs}"


def read_reported(path: Path) -> list[Reported]:
    """The campaigns of a report.json.

    Raises:
        InputError: it is none, or tells of a campaign that was not finished.
    """
    file_bytes(path, "give a report.json")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read ({error.strerror}); give a report.json") from None
    except (ValueError, RecursionError):
        raise InputError(f"{shown(path)}: is no JSON; give the report.json that `dear-tui report` writes") from None
    try:
        if content["format"] > FORMAT:
            raise InputError(f"{shown(path)}: made by a newer version of dear-tui; update this one")
        campaigns = [_reported(path, each) for each in content.get("campaigns", [content])]
        if not campaigns:
            raise InputError(f"{shown(path)}: has no campaign; give a report.json that has")
        return campaigns
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise InputError(f"{shown(path)}: is no report.json that `dear-tui report` has written; give one") from None


def _reported(path: Path, campaign: dict[str, Any]) -> Reported:
    if campaign["state"] != "finished":
        raise InputError(
            f"{shown(path)}: campaign {campaign['id']} was {campaign['state']} when it was reported; report it again "
            "when it is finished"
        )
    threads = campaign["numerics"].get("threads")
    identity = {str(name): str(value) for name, value in campaign["identity"].items()}
    if fingerprint(identity) != campaign["fingerprint"] or not 1 <= int(threads or 1) <= MOST_THREADS:
        raise InputError(
            f"{shown(path)}: campaign {campaign['id']} has been edited, or a version that counted otherwise made it; "
            "report it again"
        )
    return Reported(
        id=int(campaign["id"]),
        name=printable_line(str(campaign["name"])),
        config=dict(campaign["config"]),
        identity=identity,
        threads=None if threads is None else int(threads),
        counts={name: int(campaign["counts"][name]) for name in COUNTS},
        sha256=str(campaign["critical_pairs"]["sha256"]),
    )


def reproduce(
    reported: Reported, source: str, listener: Listener, should_stop: Callable[[], bool]
) -> Reproduced | None:
    """Run a reported campaign again, in a store of its own that is gone afterwards.

    Args:
        reported: by `read_reported`.
        source: what errors call the report.
        listener: told how it goes.
        should_stop: asked after each group of faults.

    Returns:
        None where it was stopped.

    Raises:
        InputError, UnreachableError: what the config names cannot be loaded.
    """
    config = parse_config(reported.config, source=source)
    prepared = prepare(config, reported.threads, listener.on_step)
    changed = {
        name: f"{name} {shown_item(then)} (now {shown_item(prepared.identity.get(name, 'none'))})"
        for name, then in without_engine(reported.identity).items()
        if prepared.identity.get(name) != then
    }
    words = tuple(changed.values())
    if any(name in MATTERS for name in changed):
        return Reproduced(reported, {}, is_same=False, changed=words)
    with TemporaryDirectory(prefix="dear-tui-") as folder:
        path = Path(folder) / "store"
        status = execute(prepared, path, listener, should_stop)
        if status.state != "finished":
            return None
        with Store.open(path, read_only=True) as store:
            summary = store.summary(status.id)
    counts = {name: getattr(status, name) for name in reported.counts}
    is_same = digest(summary) == reported.sha256 and counts["critical"] == reported.counts["critical"]
    return Reproduced(reported, counts, is_same, words)
