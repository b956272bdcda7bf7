"""Ids of actions, and keys that a user chose."""

from collections import Counter
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from dear_tui.app import DearApp
from dear_tui.screens.campaigns import CampaignsScreen
from dear_tui.screens.dialogs.keys import KeysScreen
from dear_tui.screens.live import LiveScreen
from dear_tui.settings import keymap
from dear_tui.settings.keymap import bound_actions, keymap_problems, with_ids
from dear_tui.settings.settings import Settings
from engine.store.records import CampaignStatus
from tests.dear_tui.memory_store import FakeSource, make_curve, make_status, screen_text, settle


def app_with(keys: dict[str, str], campaigns: tuple[CampaignStatus, ...] = ()) -> DearApp:
    source = FakeSource(campaigns, {1: make_curve(3)})
    return DearApp(Path("/data/store"), None, lambda _path: source, settings=Settings(keys=keys))


def test_every_binding_with_a_tooltip_has_an_id_of_its_own() -> None:
    for node in keymap._own_nodes(DOMNode):
        for binding in node.__dict__.get("BINDINGS", []):
            assert isinstance(binding, Binding)
            assert bool(binding.id) == bool(binding.tooltip), (node, binding)
            assert binding.description or not binding.tooltip, (node, binding)
    counts = Counter(action.id for action in bound_actions())
    assert [name for name, count in counts.items() if count > 1] == []


def test_an_id_given_in_the_code_stays_and_others_are_made_of_prefix_and_action() -> None:
    bindings = with_ids(
        "named",
        Binding("a", "one", "one", tooltip="first", id="named.pinned"),
        Binding("b,c", "two('X y')", "two", tooltip="second"),
        Binding("d", "three", "three"),
        Binding("e", "go(1)", "down", tooltip="fourth"),
        ("f", "five", "five"),
    )
    ids = {binding.action: binding.id for binding in bindings if isinstance(binding, Binding)}
    assert ids == {"one": "named.pinned", "two('X y')": "named.two-x-y", "three": None, "go(1)": "named.down"}


async def test_new_keys_work_in_place_of_the_old_ones() -> None:
    app = app_with({"app.switch-mode-live": "L,f9", "app.show-keys": "comma"}, (make_status(1, done=3),))
    async with app.run_test(size=(80, 60)) as pilot:
        await settle(pilot)
        for key, screen in (("2", CampaignsScreen), ("L", LiveScreen), ("1", CampaignsScreen), ("f9", LiveScreen)):
            await pilot.press(key)
            assert isinstance(app.screen, screen)
        await pilot.press("question_mark")
        assert isinstance(app.screen, LiveScreen)
        await pilot.press("comma")
        assert isinstance(app.screen, KeysScreen)
        assert "L f9" in screen_text(app)


async def test_a_new_key_of_a_list_replaces_that_one_alone() -> None:
    app = app_with({"row-list.down": "n"}, (make_status(1), make_status(2)))
    async with app.run_test() as pilot:
        await settle(pilot)
        chosen = []
        for key in ("j", "n", "k", "down"):
            await pilot.press(key)
            await pilot.pause()
            chosen.append(app.campaign)
        assert chosen == [1, 2, 1, 1]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"app.kwit": "x"}, "app.kwit: there is no such action; did you mean app.quit?"),
        ({"something": "x"}, "something: there is no such action; dear-tui keys lists the actions"),
        ({"app.quit": "contrl+x"}, "app.quit: 'contrl+x' is no key; write one such as x, ctrl+x, f7 or question_mark"),
        ({"app.quit": "x,"}, "app.quit: '' is no key; write one such as x, ctrl+x, f7 or question_mark"),
        ({"app.quit": "1"}, "app.quit: the key 1 is that of app.switch-mode-campaigns; choose another"),
        ({"app.jump": "j"}, "app.jump: the key j is that of row-list.down; choose another"),
        ({"row-list.first": "?"},
         "row-list.first: the key question_mark is that of app.show-keys; choose another"),
        ({"row-list.first": "end"},
         "row-list.first: the key end is that of row-list.last; choose another"),
    ],
)  # fmt: skip
def test_wrong_keys_are_a_sentence(keys: dict[str, str], problem: str) -> None:
    assert problem in list(keymap_problems(keys))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"app.switch-mode-campaigns": "2", "app.switch-mode-live": "1"},  # changed places
        {"row-list.first": "f5", "campaign-chart.toggle-log": "f5"},  # in different places
        {"row-list.down": "down,j"},  # the same action has that key already
    ],
)
def test_keys_that_do_not_clash_are_taken(keys: dict[str, str]) -> None:
    assert list(keymap_problems(keys)) == []


def test_the_keys_that_are_built_in_clash_nowhere() -> None:
    assert list(keymap_problems({action.id: action.keys for action in bound_actions()})) == []


def test_an_id_is_of_one_action() -> None:
    """Otherwise a key given to `down` would go up as well."""
    for node in keymap._own_nodes(DOMNode):
        actions: dict[str, set[str]] = {}
        for binding in node.__dict__.get("BINDINGS", []):
            if binding.tooltip or binding.id:
                actions.setdefault(binding.id, set()).add(binding.action)
        assert [name for name, ran in actions.items() if len(ran) > 1] == [], node


async def test_the_palette_names_the_users_keys() -> None:
    app = app_with({"app.jump": "f8"})
    async with app.run_test() as pilot:
        await settle(pilot)
        assert "jump (f8)" in {command.title for command in app.get_system_commands(app.screen)}
