"""The widgets of the campaigns screen and of the live one."""
