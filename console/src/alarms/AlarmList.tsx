import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { EventFilter } from "../api/gen/graphql";
import { EntityLink } from "../entities/EntityLink";
import { useSession } from "../shell/SessionGate";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { numberText } from "../ui/numbers";
import { type Column, Grid } from "../ui/Grid";
import { useKeys } from "../ui/keys";
import { Empty, Failed, Loading } from "../ui/States";
import { SeverityTag } from "../ui/Tags";
import { Age } from "../ui/Time";
import { toast } from "../ui/Toasts";
import { useNarrow } from "../ui/useNarrow";
import { acknowledge, afterAction } from "./actions";
import { type Action, ActionDialog, type ActionKind, alarmsText } from "./ActionDialog";
import { type Alarm, belongs, isShelved, type View } from "./alarm";
import { AlarmSheet } from "./AlarmSheet";
import { type Grouping, groupsOf, type Line, linesOf } from "./groups";
import type { Shelf } from "./shelves";
import { SeverityCounts, StateTag } from "./tags";
import { useAlarms } from "./useAlarms";
import { usePlaces } from "./usePlaces";

type Props = {
  filter: EventFilter;
  view?: View;
  grouping?: Grouping;
  /** What is shown where there is no alarm. */
  empty?: ReactNode;
  height?: string;
  /** Whether all of the filter can be acknowledged or dismissed at once. */
  hasAll?: boolean;
  /** Shelves that last now: what they cover is marked, too. */
  shelves?: readonly Shelf[];
};

const OPEN_STATES: EventFilter["states"] = ["OPEN", "ACKNOWLEDGED"];
const LOOKED_THROUGH_MOST = 2_000;
const ACTIONS: readonly [ActionKind, string, string][] = [
  ["acknowledge", "a", "Acknowledge"],
  ["dismiss", "d", "Dismiss"],
  ["shelve", "s", "Shelve"],
  ["comment", "m", "Comment"],
  ["work", "w", "Work order"],
];

/**
 * The alarms of a filter in one or two levels: live, reached by keys, each with its sheet.
 *
 * Nothing moves while somebody points at it, has the focus in it or has selected some: newcomers are counted, and shown
 * at a click or `n`. `filter.states` defaults to what is open.
 */
export function AlarmList(props: Props) {
  const { view = "open", grouping = "none", hasAll = false } = props;
  const filter = useMemo<EventFilter>(() => ({ states: OPEN_STATES, ...props.filter }), [props.filter]);
  const { moment } = useMoment();
  const { role } = useSession();
  const canAct = !isPast(moment) && role !== "viewer";
  const client = useQueryClient();
  const isNarrow = useNarrow();
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const [active, setActive] = useState<Line | null>(null);
  const [selected, setSelected] = useState<ReadonlyMap<string, Alarm>>(new Map());
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [openId, setOpenId] = useState<string | null>(null);
  const [action, setAction] = useState<Action | null>(null);
  const isHeld = isPointed || isFocused || active !== null || selected.size > 0 || openId !== null || action !== null;
  const list = useAlarms(filter, view, isHeld, props.shelves);
  const { hasMore, loadMore, loaded } = list;
  useEffect(() => {
    // The API cannot tell these from the other open ones, so all that are open are looked through, up to a limit.
    if ((view === "forgotten" || view === "shelved") && hasMore && loaded < LOOKED_THROUGH_MOST) loadMore();
  }, [view, hasMore, loaded]);
  const places = usePlaces(list.alarms, grouping === "space");

  const groupOrder = useRef<string[]>([]);
  const lines = useMemo<Line[]>(() => {
    if (grouping === "none") return list.alarms.map((alarm) => ({ what: "alarm", id: alarm.id, alarm }));
    const groups = groupsOf(list.alarms, grouping, places, isHeld ? groupOrder.current : null);
    groupOrder.current = groups.map((group) => group.id);
    return linesOf(groups, folds);
  }, [list.alarms, grouping, places, folds, isHeld]);

  const current = list.alarms.filter((alarm) => selected.has(alarm.id));
  const targets = (): Alarm[] => {
    if (current.length > 0) return current;
    if (active === null) return [];
    return active.what === "alarm" ? list.alarms.filter((alarm) => alarm.id === active.id) : active.group.alarms;
  };
  const toggleFold = (line: Extract<Line, { what: "group" }>) => setFolds((before) => new Map(before).set(line.group.id, !line.isFolded));
  const toggle = (line: Line) => {
    const alarms = line.what === "alarm" ? [line.alarm] : line.group.alarms;
    setSelected((before) => {
      const after = new Map(before);
      const isAll = alarms.every((alarm) => after.has(alarm.id));
      for (const alarm of alarms) {
        if (isAll) after.delete(alarm.id);
        else after.set(alarm.id, alarm);
      }
      return after;
    });
  };
  const act = (kind: ActionKind, alarms: readonly Alarm[]) => {
    if (alarms.length === 0 || !canAct) return;
    if (kind !== "acknowledge") {
      setAction({ kind, alarms });
      return;
    }
    // The most frequent action asks nothing; a note can be given in the sheet.
    void acknowledge(alarms, null).then((outcome) => {
      afterAction(client);
      const refused = outcome.refused[0];
      toast(`${alarmsText(outcome.done)} acknowledged.${refused ? ` ${outcome.refused.length} refused: ${refused.message}` : ""}`);
      setSelected(new Map());
    });
  };
  useKeys(
    Object.fromEntries([
      ...ACTIONS.map(([kind, key, label]) => [key, { label: `${label}: the alarm, or those selected`, run: () => act(kind, targets()) }]),
      ["n", { label: "Show new alarms", run: list.showWaiting }],
    ]),
  );

  const markAll = (kind: "acknowledge" | "dismiss") => setAction({ kind, filter });
  return (
    <section
      className="stack tight"
      aria-label="Alarms"
      onPointerEnter={(event) => event.pointerType === "mouse" && setPointed(true)}
      onPointerLeave={() => setPointed(false)}
      onFocus={() => setFocused(true)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setFocused(false)}
    >
      <div className="bar alarm-bar">
        <ListTotal list={list} filter={filter} view={view} />
        <span className="spring" />
        {canAct && current.length > 0 && (
          <>
            <b className="number">{current.length} selected</b>
            {ACTIONS.map(([kind, key, label]) => (
              <button key={kind} type="button" className="button" onClick={() => act(kind, current)} title={`${label} ( ${key} )`}>
                {label}
              </button>
            ))}
            <button type="button" className="button quiet" onClick={() => setSelected(new Map())}>
              Select none
            </button>
          </>
        )}
        {canAct && hasAll && view === "open" && current.length === 0 && list.alarms.length > 0 && (
          <>
            <button type="button" className="button" onClick={() => markAll("acknowledge")}>
              Acknowledge all …
            </button>
            <button type="button" className="button" onClick={() => markAll("dismiss")}>
              Dismiss all …
            </button>
          </>
        )}
      </div>
      {list.waiting > 0 && (
        <button type="button" className="button newcomers" onClick={list.showWaiting}>
          <b className="number">{list.waiting} new</b> – show <kbd>n</kbd>
        </button>
      )}
      <Failed faults={[...(list.error?.faults ?? []), ...list.faults]} retry={list.refetch} />
      {list.isLoading && <Loading what="alarms" rows={4} />}
      {!list.isLoading && list.error === null && lines.length === 0 && (props.empty ?? <Empty title={isPast(moment) ? "No alarm was open" : "No open alarms"} />)}
      {lines.length > 0 && (
        <Grid
          label="Alarms"
          columns={isNarrow ? narrowColumns : wideColumns(isPast(moment) ? moment.at : null)}
          rows={lines}
          idOf={(line) => line.id}
          total={list.hasMore ? list.total : lines.length}
          hasMore={list.hasMore}
          loadMore={list.loadMore}
          onOpen={(line) => (line.what === "alarm" ? setOpenId(line.id) : toggleFold(line))}
          onActive={setActive}
          {...(canAct ? { onToggle: toggle, selected: (line: Line) => line.what === "alarm" && selected.has(line.id) } : {})}
          wide={(line) => (line.what === "group" ? <GroupHead line={line} isNarrow={isNarrow} onToggle={() => toggleFold(line)} /> : null)}
          rowClass={(line) => (line.what === "alarm" && !belongs(line.alarm, filter, "open", 0) ? "gone" : "")}
          isFitted={isNarrow}
          {...(isNarrow ? { rowPx: 54 } : {})}
          height={props.height ?? heightOf(lines.length, isNarrow)}
        />
      )}
      {openId !== null && (
        <AlarmSheet id={openId} onClose={() => setOpenId(null)} onAction={canAct ? (kind, alarm) => setAction({ kind, alarms: [alarm] }) : null} />
      )}
      {action !== null && (
        <ActionDialog
          action={action}
          onClose={() => setAction(null)}
          onDone={() => {
            setAction(null);
            setSelected(new Map());
          }}
        />
      )}
    </section>
  );
}

/** As high as its rows, at most two thirds of the window; so that a list of three is not a large empty box. */
function heightOf(rows: number, isNarrow: boolean): string {
  return `min(68vh, ${40 + Math.max(rows, 3) * (isNarrow ? 54 : 34)}px)`;
}

function ListTotal({ list, filter, view }: { list: ReturnType<typeof useAlarms>; filter: EventFilter; view: View }) {
  if (list.total === null) return null;
  const shown = list.alarms.filter((alarm) => belongs(alarm, filter, "open", 0)).length;
  const more = list.hasMore ? ` of ${list.total.toLocaleString("en")}` : "";
  const what = view === "any" ? "events" : "alarms";
  return (
    <span className="muted number" role="status">
      {shown.toLocaleString("en")}
      {more} {shown === 1 && more === "" ? what.slice(0, -1) : what}
    </span>
  );
}

function GroupHead({ line, isNarrow, onToggle }: { line: Extract<Line, { what: "group" }>; isNarrow: boolean; onToggle: () => void }) {
  const { group, isFolded } = line;
  return (
    <span className="group-head">
      <button type="button" className="head-button" tabIndex={-1} aria-expanded={!isFolded} onClick={onToggle} aria-label={`${group.name}, ${alarmsText(group.alarms.length)}`}>
        <span aria-hidden="true">{isFolded ? "▸" : "▾"}</span>
      </button>
      <b className="group-name">{group.entity === null ? group.name : <EntityLink entity={group.entity} />}</b>
      <span className="muted small">{group.detail}</span>
      <SeverityCounts alarms={group.alarms} isShort={isNarrow} />
    </span>
  );
}

function wideColumns(at: number | null): Column<Line>[] {
  const of = (cell: (alarm: Alarm) => ReactNode) => (line: Line) => (line.what === "alarm" ? cell(line.alarm) : null);
  return [
    { id: "severity", title: "Severity", width: "104px", cell: of((alarm) => <SeverityTag severity={alarm.severity} />) },
    { id: "rule", title: "Alarm", width: "minmax(200px, 2fr)", cell: of((alarm) => <span title={alarm.rule?.name ?? ""}>{alarm.rule?.name ?? "A rule that is gone"}</span>) },
    { id: "entity", title: "At", width: "minmax(150px, 1.4fr)", cell: of((alarm) => <EntityLink entity={alarm.entity} />) },
    { id: "state", title: "State", width: "168px", cell: of((alarm) => <StateTag alarm={alarm} />) },
    { id: "value", title: "Value", width: "90px", number: true, cell: of((alarm) => (alarm.value == null ? "" : numberText(alarm.value))) },
    { id: "age", title: "Open for", width: "92px", number: true, cell: of((alarm) => <OpenFor alarm={alarm} at={at} />) },
  ];
}

const narrowColumns: Column<Line>[] = [
  {
    id: "alarm",
    title: "Alarm",
    width: "minmax(0, 1fr)",
    cell: (line) =>
      line.what === "alarm" && (
        <span className="narrow-alarm">
          <span>
            <SeverityTag severity={line.alarm.severity} /> <b>{line.alarm.rule?.name ?? "A rule that is gone"}</b>
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
