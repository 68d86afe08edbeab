# SPDX-License-Identifier: Apache-2.0
"""Every error a user can meet. Each says what and where, and how to mend it.

The tree::

    BackbeatError          1   (never raised itself)
    ├── InputError         2   the user's input
    ├── MediaError         3   a media file cannot be read
    ├── NoEditError        4   no edit satisfies the constraints
    ├── MissingPartError   5   a needed part is missing on this machine
    └── CancelledError   130   stopped by the user; run again to go on
"""


class BackbeatError(Exception):
    """Base of the tree.

    Parameters
    ----------
    message
        What is wrong and where, one sentence without a full stop.
    hint
        How to mend it, one sentence without a full stop.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Pickle whole, so that errors cross process pools."""
        return type(self), (self.message, self.hint)


class InputError(BackbeatError):
    """The user's input is wrong."""

    exit_code = 2


class MediaError(BackbeatError):
    """A media file cannot be read."""

    exit_code = 3


class NoEditError(BackbeatError):
    """No edit satisfies the constraints."""

    exit_code = 4


class MissingPartError(BackbeatError):
    """A needed part is missing on this machine."""

    exit_code = 5


class CancelledError(BackbeatError):
    """The user stopped the work; finished steps are kept."""

    exit_code = 130
