import { useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { AlarmList } from "../alarms/AlarmList";
import type { EventFilter } from "../api/gen/graphql";
import { DevicesTab } from "../assets/DevicesTab";
import { HubEntityPage } from "../assets/HubEntityPage";
import { LocationTab } from "../assets/LocationTab";
import { TelemetryTab } from "../assets/TelemetryTab";
import { WorkTab } from "../assets/WorkTab";
import { AttributesForm } from "../entities/AttributesForm";
import { HistoryTab } from "../entities/HistoryTab";
import { RelationsTab } from "../entities/RelationsTab";
import { SpaceOverview } from "./SpaceOverview";

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "devices", label: "IoT devices" },
  { id: "telemetry", label: "Telemetry" },
  { id: "location", label: "Location" },
  { id: "alarms", label: "Alarms" },
  { id: "work", label: "Work" },
  { id: "relations", label: "Relations" },
  { id: "configuration", label: "Configuration" },
  { id: "history", label: "History" },
] as const;

/** A space at the moment shown. */
export function SpacePage() {
  const { id } = useParams({ from: "/spaces/$id" });
  const below = useMemo<EventFilter>(() => ({ underId: id, states: null }), [id]);
  return (
    <HubEntityPage id={id} kind="SPACE" tabs={TABS} key={id}>
      {(tab, shown) => (
        <>
          {tab === "overview" && <SpaceOverview shown={shown} />}
          {tab === "devices" && <DevicesTab entityId={id} kind="SPACE" />}
          {tab === "telemetry" && <TelemetryTab entityId={id} />}
          {tab === "location" && <LocationTab shown={shown} />}
          {tab === "alarms" && <AlarmList filter={below} />}
          {tab === "work" && <WorkTab entityId={id} />}
          {tab === "relations" && <RelationsTab entityId={id} kind="SPACE" />}
          {tab === "configuration" && <AttributesForm entityId={id} />}
          {tab === "history" && <HistoryTab entityId={id} />}
        </>
      )}
    </HubEntityPage>
  );
}
