import { useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { AlarmList } from "../alarms/AlarmList";
import type { EventFilter } from "../api/gen/graphql";
import { HistoryTab } from "../entities/HistoryTab";
import { RelationsTab } from "../entities/RelationsTab";
import { AttributesForm } from "../entities/AttributesForm";
import { AssetOverview } from "./AssetOverview";
import { DevicesTab } from "./DevicesTab";
import { HubEntityPage } from "./HubEntityPage";
import { LocationTab } from "./LocationTab";
import { TelemetryTab } from "./TelemetryTab";
import { WorkTab } from "./WorkTab";

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

/** An asset at the moment shown. */
export function AssetPage() {
  const { id } = useParams({ from: "/assets/$id" });
  const below = useMemo<EventFilter>(() => ({ underId: id, states: null }), [id]);
  return (
    <HubEntityPage id={id} kind="ASSET" tabs={TABS} key={id}>
      {(tab, shown) => (
        <>
          {tab === "overview" && <AssetOverview shown={shown} />}
          {tab === "devices" && <DevicesTab entityId={id} kind="ASSET" />}
          {tab === "telemetry" && <TelemetryTab entityId={id} />}
          {tab === "location" && <LocationTab shown={shown} />}
          {tab === "alarms" && <AlarmList filter={below} />}
          {tab === "work" && <WorkTab entityId={id} />}
          {tab === "relations" && <RelationsTab entityId={id} kind="ASSET" />}
          {tab === "configuration" && <AttributesForm entityId={id} />}
          {tab === "history" && <HistoryTab entityId={id} />}
        </>
      )}
    </HubEntityPage>
  );
}
