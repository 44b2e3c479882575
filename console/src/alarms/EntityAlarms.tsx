import { useMemo, useState } from "react";
import type { EventFilter } from "../api/gen/graphql";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty } from "../ui/States";
import { EntityRules } from "../rules/EntityRules";
import { AlarmList } from "./AlarmList";

const ALL: EventFilter["states"] = ["OPEN", "ACKNOWLEDGED", "CLEARED", "DISMISSED", "WITHDRAWN"];

/** The alarms at an entity and, unless it is to be alone, below it: those that are open, or the cleared, dismissed and withdrawn ones too. */
export function EntityAlarms({ entityId }: { entityId: string }) {
  const { moment } = useMoment();
  const [isAlone, setAlone] = useState(false);
  const [areAll, setAll] = useState(false);
  const filter = useMemo<EventFilter>(
    () => ({ ...(isAlone ? { entityIds: [entityId] } : { underId: entityId }), ...(areAll ? { states: ALL } : {}) }),
    [entityId, isAlone, areAll],
  );
  return (
    <div className="stack tight">
      <div className="bar">
        <button type="button" className="button" aria-pressed={isAlone} onClick={() => setAlone(!isAlone)}>
          This entity only
        </button>
        {!isPast(moment) && (
          <button type="button" className="button" aria-pressed={areAll} title="Cleared, dismissed and withdrawn ones too" onClick={() => setAll(!areAll)}>
            Include cleared
          </button>
        )}
      </div>
      <AlarmList
        key={JSON.stringify(filter)}
        filter={filter}
        view={areAll ? "any" : "open"}
        empty={
          <Empty title="No open alarms">
            <p>{isPast(moment) ? "None was open at this moment." : "Nothing here, or located under it, needs attention now."}</p>
          </Empty>
        }
      />
      <EntityRules entityId={entityId} />
    </div>
  );
}
