"""Convert the content of a profile's version to JSON and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.definitions.profiles.model import ProfileContent


def content_json(content: ProfileContent) -> dict[str, Any]:
    """Return a content as JSON, in the contract's names."""
    return {
        "defaultAttributes": dict(content.attributes),
        "defaultHealthThresholds": dict(content.thresholds),
        "formulas": dict(content.formulas),
        "rules": list(content.rules),
        "health": dict(content.health),
    }


def content_of(value: Mapping[str, Any]) -> ProfileContent:
    """Parse the content that `content_json` wrote."""
    return ProfileContent(
        attributes=value["defaultAttributes"],
        thresholds=value["defaultHealthThresholds"],
        formulas=value["formulas"],
        rules=value["rules"],
        health=value["health"],
    )
