import type { ReactNode } from "react";
import { EntityAlarms } from "../alarms/EntityAlarms";
import { RelationsTab } from "../edges/RelationsTab";
import type { Named } from "../entities/above";
import { AttributesForm } from "../entities/AttributesForm";
import { HistoryTab } from "../entities/HistoryTab";
import { Tabs, useTab } from "../ui/Tabs";
import { WorkList } from "../work/WorkList";
import { LinkedDevices } from "./LinkedDevices";
import { LocationTab } from "./LocationTab";
import { TelemetryTab } from "./TelemetryTab";

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

type Props = {
  kind: "ASSET" | "SPACE";
  id: string;
  name: string;
  location: unknown;
  /** What it is part of or in, the outermost first. */
  path: readonly Named[];
  overview: ReactNode;
};

/** The tabs of an asset or a space. They differ in the overview alone. */
export function HubTabs({ kind, id, name, location, path, overview }: Props) {
  const tab = useTab(TABS);
  return (
    <>
      <Tabs label={kind === "ASSET" ? "Parts of the asset" : "Parts of the space"} tabs={TABS} current={tab} />
      {tab === "overview" && overview}
      {tab === "devices" && <LinkedDevices entityId={id} kind={kind} />}
      {tab === "telemetry" && <TelemetryTab entityId={id} />}
      {tab === "location" && <LocationTab entity={{ id, name, location }} way={path} />}
      {tab === "alarms" && <EntityAlarms entityId={id} />}
      {tab === "work" && <WorkList entityId={id} />}
      {tab === "relations" && <RelationsTab entityId={id} kind={kind} />}
      {tab === "configuration" && <AttributesForm entityId={id} />}
      {tab === "history" && <HistoryTab entityId={id} />}
    </>
  );
}
