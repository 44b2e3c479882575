import type { ReactNode } from "react";
import { EntityLink } from "../entities/EntityLink";
import type { Column } from "../ui/Grid";
import { numberText } from "../ui/numbers";
import { SeverityCounts } from "../ui/SeverityCounts";
import { SeverityTag } from "../ui/Tags";
import { Age } from "../ui/Time";
import { type Alarm, countsOf, isShelved } from "./alarm";
import type { Line } from "./groups";
import { StateTag } from "./tags";
import { alarmsText } from "./words";

export function GroupHead({ line, isNarrow, onToggle }: { line: Extract<Line, { what: "group" }>; isNarrow: boolean; onToggle: () => void }) {
  const { group, isFolded } = line;
  return (
    <span className="group-head">
      <button type="button" className="head-button" tabIndex={-1} aria-expanded={!isFolded} onClick={onToggle} aria-label={`${group.name}, ${alarmsText(group.alarms.length)}`}>
        <span aria-hidden="true">{isFolded ? "▸" : "▾"}</span>
      </button>
      <b className="group-name">{group.entity === null ? group.name : <EntityLink entity={group.entity} />}</b>
      <span className="muted small">{group.detail}</span>
      <SeverityCounts counts={countsOf(group.alarms)} isShort={isNarrow} />
    </span>
  );
}

export function wideColumns(at: number | null): Column<Line>[] {
  const cellOf = (cell: (alarm: Alarm) => ReactNode) => (line: Line) => (line.what === "alarm" ? cell(line.alarm) : null);
  return [
    { id: "severity", title: "Severity", width: "104px", cell: cellOf((alarm) => <SeverityTag severity={alarm.severity} />) },
    { id: "rule", title: "Alarm", width: "minmax(200px, 2fr)", cell: cellOf((alarm) => <span title={alarm.rule?.name ?? ""}>{alarm.rule?.name ?? "A deleted rule"}</span>) },
    { id: "entity", title: "At", width: "minmax(150px, 1.4fr)", cell: cellOf((alarm) => <EntityLink entity={alarm.entity} />) },
    { id: "state", title: "State", width: "168px", cell: cellOf((alarm) => <StateTag alarm={alarm} />) },
    { id: "value", title: "Value", width: "90px", number: true, cell: cellOf((alarm) => (alarm.value == null ? "" : numberText(alarm.value))) },
    { id: "age", title: "Open for", width: "92px", number: true, cell: cellOf((alarm) => <OpenFor alarm={alarm} at={at} />) },
  ];
}

export const narrowColumns: Column<Line>[] = [
  {
    id: "alarm",
    title: "Alarm",
    width: "minmax(0, 1fr)",
    cell: (line) =>
      line.what === "alarm" && (
        <span className="narrow-alarm">
          <span>
            <SeverityTag severity={line.alarm.severity} /> <b>{line.alarm.rule?.name ?? "A deleted rule"}</b>
          </span>
          <span className="muted small">
            {line.alarm.entity.name} · <OpenFor alarm={line.alarm} at={null} /> · {line.alarm.state.toLowerCase()}
            {isShelved(line.alarm) && " · shelved"}
          </span>
        </span>
      ),
  },
];

function OpenFor({ alarm, at }: { alarm: Alarm; at: number | null }) {
  if (alarm.clearedAt) return <span className="muted">over</span>;
  return at === null ? <Age at={alarm.openedAt} /> : <Age at={alarm.openedAt} from={at} />;
}
