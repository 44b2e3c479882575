"""Actions of rules: validated when a rule is written, read leniently when they are applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from domain.work.activity_templates.queries import activity_template_get
from domain.work.notifications.address import webhook_check
from graph.errors import BadInputError, NotFoundError

TEMPLATE: Final = "createActivityFromTemplateId"
WEBHOOK: Final = "webhookUrl"


def action_check(
    session: Session, *, organization_id: int, action: Mapping[str, Any], path: tuple[str, ...] = ("action",)
) -> None:
    """Refuse an action that could do nothing.

    Raises NotFoundError for a template that does not exist, BadInputError for an address that no webhook can have and
    for members that there are none of; each at its member.
    """
    for name, value in action.items():
        here = (*path, name)
        if name not in {TEMPLATE, WEBHOOK}:
            raise BadInputError(f"There is no {name[:80]!r}, only {TEMPLATE}, {WEBHOOK}.", path=here)
        if not isinstance(value, str):
            raise BadInputError(f"{name} is text.", path=here)
        if name == WEBHOOK:
            webhook_check(session, value, path=here)
            continue
        template_id = _uuid_read(value)
        if template_id is None:
            raise NotFoundError(f"There is no template of activities {value[:80]!r}.", path=here)
        activity_template_get(session, organization_id=organization_id, template_id=template_id, path=here)


def template_of(action: Mapping[str, Any]) -> UUID | None:
    """Return the template that an action names; None: none, or nothing that could be one."""
    return _uuid_read(action.get(TEMPLATE))


def webhook_of(action: Mapping[str, Any]) -> str | None:
    """Return the webhook that an action names, if any."""
    url = action.get(WEBHOOK)
    return url if isinstance(url, str) else None


def _uuid_read(value: object) -> UUID | None:
    """Return the id that a text is, or None."""
    if not isinstance(value, str):
        return None
    try:
        return UUID(value)
    except ValueError:
        return None
