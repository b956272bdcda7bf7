"""`dear-tui keys`: every action with its id and keys, as the user's config writes them."""

from __future__ import annotations

from dear_tui.cli.printing.say import say, tell


def keys() -> None:
    """Print every action and its keys, as lines for your config.

    They are TOML: keep the lines you want to change. The config is config.toml in the platform's folder for configs,
    or the file that DEAR_CONFIG names.
    """
    import dear_tui.app  # noqa: F401 - brings all screens, whose actions are listed
    from dear_tui.settings.keymap import bound_actions
    from dear_tui.settings.settings_file import settings_path

    tell(f"lines for {settings_path()}")
    say("[keys]")
    actions = bound_actions()
    width = max(len(f'{action.id} = "{action.keys}"') for action in actions)
    for action in actions:
        line = f'{action.id} = "{action.keys}"'
        say(f"{line:<{width}}  # {action.name}: {action.explanation}")
