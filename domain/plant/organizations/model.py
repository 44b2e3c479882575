"""Organizations: tenants and their slugs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from graph.errors import BadInputError

NAME_MAX_CHARS: Final = 200
SLUG_MAX_CHARS: Final = 63
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization. id: what rows bear; public_id: what the API shows; slug: what tokens and commands name."""

    id: int
    public_id: UUID
    slug: str
    name: str


def slug_of(name: str) -> str:
    """Return the slug a name suggests: "North Works" gives "north-works".

    Raises BadInputError where nothing of the name is left; then a slug has to be given.
    """
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_MAX_CHARS].rstrip("-")
    if not slug:
        raise BadInputError(f"{name!r} holds no letter or digit a slug could be made of; give one.", path=("slug",))
    return slug


def slug_check(slug: str) -> str:
    """Return a slug. Raises BadInputError unless it is lower case letters, digits and dashes, at most 63."""
    if not _SLUG.fullmatch(slug):
        message = "A slug is lower case letters, digits and dashes, at most 63, and begins with no dash."
        raise BadInputError(message, path=("slug",))
    return slug
