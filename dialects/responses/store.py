"""What this API asks of a store of responses. Whoever wires the application may give it one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from errors import NotFound, RequestError
from reply import FoundAnswer

_ID = re.compile(r"[a-z]+_([0-9a-f]{40})")
"""An id of ours: of a response, or of one of its items, which begin with the same token."""


class ResponseStore(Protocol):
    """Keeps responses with the requests that they answer. Each belongs to the key that made it.

    Methods that read may wait a moment for a response that has just ended. They raise RecordsUnavailable.
    """

    @property
    def longest(self) -> int:
        """Bytes of a request, and of a response, beyond which they are not kept."""
        ...

    @property
    def most_bytes(self) -> int:
        """Bytes of a conversation, beyond which nothing goes on from it."""
        ...

    def new_token(self) -> str:
        """40 hexadecimal digits of which nobody else makes an id."""
        ...

    def find(self, response_id: str, owner: str | None, patient: bool = True) -> FoundAnswer | None:
        """A response that has ended; None if there is none, or it is another's. `patient`: waits if that may help."""
        ...

    def conversation(self, response_id: str, owner: str | None) -> Sequence[FoundAnswer]:
        """The response and all that it goes on from, the first first; none if one of them is not there any more.

        Raises TooLarge for more than `most_bytes`.
        """
        ...

    def delete(self, response_id: str, owner: str | None) -> bool:
        """Delete the texts of a response. False if there is none, or it is another's."""
        ...


class PreviousResponseNotFound(RequestError):
    """The request goes on from a response that is not stored here."""

    code = "previous_response_not_found"

    def __init__(self, response_id: object, why: str = "") -> None:
        told = f"Previous response with id '{response_id}' not found{why}."
        super().__init__(told, param="previous_response_id")


class ResponseNotFound(NotFound):
    """There is no such response, or another key made it."""

    def __init__(self, response_id: str, why: str = "") -> None:
        super().__init__(f"Response with id '{response_id}' not found{why}.", param="id")


NO_STORE = ": responses are not stored here"
"""Why nothing is found without a store."""


def response_of(item_id: object) -> str | None:
    """The id of the response in which an item of ours stands; None if the id is not ours."""
    found = _ID.match(item_id) if isinstance(item_id, str) else None
    return None if found is None else f"resp_{found[1]}"
