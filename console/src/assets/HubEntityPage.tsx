import { Navigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { EntityLink } from "../entities/EntityLink";
import { entityTarget } from "../entities/paths";
import { useTimeSubject } from "../time/subject";
import { Failed, Loading, NowNote } from "../ui/States";
import { type Tab, Tabs, useTab } from "../ui/Tabs";
import type { HubKind } from "./hubFilter";
import { type HubEntity, type HubRecord, useHubEntity } from "./useHubEntity";
import "../entities/entities.css";
import "./hub.css";

export type Shown = { entity: HubEntity; record: HubRecord | null; mode: "live" | "true" | "seen"; way: readonly { id: string; kind: string; name: string }[] };

/** What the pages of an asset and of a space have in common: the way down to it, its name, and tabs. One request. */
export function HubEntityPage<T extends string>({
  id,
  kind,
  tabs,
  children,
}: {
  id: string;
  kind: HubKind;
  tabs: readonly Tab<T>[];
  children: (tab: T, shown: Shown) => ReactNode;
}) {
  const { answer, entity, record, way, mode } = useHubEntity(id);
  const tab = useTab(tabs);
  const isBelow = tab === ("alarms" as T);
  useTimeSubject(isBelow || kind === "SPACE" ? { underId: id } : { entityIds: [id] });
  if (answer.data === undefined || (answer.isPlaceholderData && entity === null)) {
    return answer.error ? <Failed faults={answer.error.faults} retry={() => void answer.refetch()} /> : <Loading what={kind === "ASSET" ? "the asset" : "the space"} />;
  }
  if (entity === null) {
    return (
      <div className="stack">
        <h1>Not found</h1>
        <Failed faults={[...answer.faults, { code: "NOT_FOUND", message: "There is no entity with this id, or it is not yours to see.", path: ["node"] }]} />
      </div>
    );
  }
  if (entity.kind !== kind) return <Navigate {...entityTarget(entity)} replace />;
  const type = record?.type ?? entity.type;
  return (
    <div className="stack">
      {way.length > 0 && (
        <nav aria-label="Where it is">
          <ol className="plain breadcrumb">
            {way.map((place) => (
              <li key={place.id}>
                <EntityLink entity={place} />
              </li>
            ))}
          </ol>
        </nav>
      )}
      <header className="page-head">
        <h1>{record?.name ?? entity.name}</h1>
        {type && <span className="tag">{type}</span>}
        <span className="tag">{record?.status ?? entity.status}</span>
        <NowNote past={mode === "true"} />
        {entity.deletedAt && <span className="tag bad">deleted</span>}
      </header>
      <Failed faults={[...(answer.error?.faults ?? []), ...answer.faults]} />
      <Tabs label={kind === "ASSET" ? "Parts of the asset's page" : "Parts of the space's page"} tabs={tabs} current={tab} />
      {children(tab, { entity, record, mode, way })}
    </div>
  );
}
