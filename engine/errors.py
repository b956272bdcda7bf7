"""Errors a person can act on: one sentence that names the file, the field and the mend."""


class DearError(Exception):
    """The work failed; `exit_code` is what the command line returns."""

    exit_code = 1


class InputError(DearError):
    """A config, a file or an argument is wrong."""

    exit_code = 2


class ConfigError(InputError):
    """Every problem of one config, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnreachableError(DearError):
    """The store or the device cannot be used (missing, taken, not writable)."""

    exit_code = 3


class NoDeviceError(UnreachableError):
    """The device that a config asks for is not there."""


class DiskFullError(UnreachableError):
    """There is no room for what must be written; the same can be tried again when there is."""


class NewerStoreError(UnreachableError):
    """The store was made by a newer version, which may mean something else by what lies in it."""


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, or its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
