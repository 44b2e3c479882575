"""Organizations: tenants and their slugs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from graph.errors import ArgusError, BadInputError

NAME_MAX_CHARS: Final = 200
SLUG_MAX_CHARS: Final = 63
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class OrganizationSuspendedError(ArgusError):
    """The organization is suspended: its callers may neither read nor write, and none of its readings is taken."""

    code = "ORGANIZATION_SUSPENDED"

    def __init__(self) -> None:
        super().__init__("The organization is suspended. Whoever operates this Argus can resume it.")


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization. id: what rows bear; public_id: what the API shows; slug: what tokens and commands name.

    suspended_at: since when it is suspended (UTC); None: it is not, or it was not asked for.
    """

    id: int
    public_id: UUID
    slug: str
    name: str
    suspended_at: datetime | None = None


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
