"""The pages of the console: what the tests and the screenshots go through."""

from __future__ import annotations

from dataclasses import dataclass

from testing.console.plant import Plant


@dataclass(frozen=True, slots=True)
class Route:
    """A page by name. template: its address, with fields of Plant in braces. requests_max: budget of its first view."""

    name: str
    template: str
    requests_max: int = 8

    def address(self, plant: Plant) -> str:
        return self.template.format(**{name: getattr(plant, name) for name in Plant.__dataclass_fields__})


ROUTES = (
    Route("overview", "/"),
    Route("devices", "/devices"),
    *(
        Route(f"device-{tab}", f"/devices/{{probe}}?tab={tab}")
        for tab in ("overview", "telemetry", "links", "configuration", "messages", "tokens", "history")
    ),
    Route("assets", "/assets"),
    Route("assets-tree", "/assets?view=tree"),
    *(
        Route(f"asset-{tab}", f"/assets/{{boiler_a}}?tab={tab}")
        for tab in (
            "overview",
            "devices",
            "telemetry",
            "location",
            "alarms",
            "work",
            "configuration",
            "relations",
            "history",
        )
    ),
    Route("spaces", "/spaces"),
    Route("spaces-tree", "/spaces?view=tree"),
    *(
        Route(f"space-{tab}", f"/spaces/{{room}}?tab={tab}")
        for tab in ("overview", "location", "alarms", "work", "relations", "history")
    ),
    Route("alarms", "/alarms"),
    Route("graph", "/graph?entity={boiler_a}&expanded={room}"),
    Route("rules", "/rules"),
    Route("rules-shelving", "/rules?tab=shelving"),
    *(Route(f"rule-{tab}", f"/rules/{{rule}}?tab={tab}") for tab in ("overview", "alarms", "versions")),
    Route("rule-new", "/rules/new"),
    Route("rule-copy", "/rules/new?copy={rule}", requests_max=9),
    Route("rule-edit", "/rules/{rule}/edit", requests_max=9),
    Route("changes", "/changes"),
)
