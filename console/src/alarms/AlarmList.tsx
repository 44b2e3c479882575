import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { EventFilter } from "../api/gen/graphql";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Grid } from "../ui/Grid";
import { useKeys } from "../ui/keys";
import { Empty, Failed, Loading } from "../ui/States";
import { toast } from "../ui/Toasts";
import { useNarrow } from "../ui/useNarrow";
import { type Action, ActionDialog } from "./ActionDialog";
import { afterAction, type Mark, mark } from "./actions";
import { type ActionKind, type Alarm, isOffered, type View } from "./alarm";
import { AlarmSheet } from "./AlarmSheet";
import { GroupHead, narrowColumns, wideColumns } from "./columns";
import { type Grouping, groupsOf, type Line, linesOf } from "./groups";
import type { Shelf } from "./shelves";
import { targetsOf } from "./targets";
import { useActions } from "./useActions";
import { useAlarms } from "./useAlarms";
import { useInUse } from "./useInUse";
import { useOpenAlarm } from "./useOpenAlarm";
import { usePlaces } from "./usePlaces";
import { alarmsText, DONE } from "./words";

type Props = {
  filter: EventFilter;
  view?: View;
  grouping?: Grouping;
  /** What is shown where there is no alarm. */
  empty?: ReactNode;
  maxHeight?: string;
  /** Whether all of the filter can be acknowledged or dismissed at once. */
  hasAll?: boolean;
  /** Shelves that last now: what they cover is marked, too. */
  shelves?: readonly Shelf[];
};

const OPEN_STATES: EventFilter["states"] = ["OPEN", "ACKNOWLEDGED"];
const LOOKED_THROUGH_MOST = 2_000;
const NONE: ReadonlySet<string> = new Set();
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
  const actions = useActions();
  const canAct = actions.length > 0;
  const client = useQueryClient();
  const isNarrow = useNarrow();
  const inUse = useInUse();
  const [activeId, setActiveId] = useState<string | null>(null);
  const [selectedIds, setSelectedIds] = useState<ReadonlySet<string>>(NONE);
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const { openId, open, close } = useOpenAlarm();
  const [action, setAction] = useState<Action | null>(null);
  // Another list: nothing of the one before is active or selected in it.
  const listKey = JSON.stringify([filter, view, grouping, moment]);
  const shownKey = useRef(listKey);
  useEffect(() => {
    if (shownKey.current === listKey) return;
    shownKey.current = listKey;
    setActiveId(null);
    setSelectedIds(NONE);
  }, [listKey]);
  const isFrozen = inUse.isInUse || selectedIds.size > 0 || openId !== null || action !== null;
  const list = useAlarms(filter, view, isFrozen, props.shelves);
  const { hasMore, readAhead, loaded } = list;
  useEffect(() => {
    // The API cannot tell these from the other open ones, so all that are open are looked through, up to a limit.
    if ((view === "forgotten" || view === "shelved") && hasMore && loaded < LOOKED_THROUGH_MOST) readAhead();
  }, [view, hasMore, loaded, readAhead]);
  const places = usePlaces(list.alarms, grouping === "space");

  const groupOrder = useRef<{ key: string; ids: string[] }>({ key: "", ids: [] });
  const lines = useMemo<Line[]>(() => {
    if (grouping === "none") return list.alarms.map((alarm) => ({ what: "alarm", id: alarm.id, alarm }));
    // The order of another list says nothing of this one.
    const isSameList = groupOrder.current.key === listKey && groupOrder.current.ids.length > 0;
    const groups = groupsOf(list.alarms, grouping, places, isFrozen && isSameList ? groupOrder.current.ids : null, true);
    groupOrder.current = { key: listKey, ids: groups.map((group) => group.id) };
    return linesOf(groups, folds);
  }, [list.alarms, grouping, places, folds, isFrozen, listKey]);

  const current = list.alarms.filter((alarm) => selectedIds.has(alarm.id));
  const targets = () => targetsOf(list.alarms, lines, selectedIds, activeId);
  const activate = (line: Line | null) => {
    setActiveId(line?.id ?? null);
    // Keys that move the active row work from anywhere; while they do, the list is where the focus is.
    const section = inUse.props.ref.current;
    if (!section?.contains(document.activeElement)) section?.querySelector<HTMLElement>("[role=grid]")?.focus({ preventScroll: true });
  };
  const toggleFold = (line: Extract<Line, { what: "group" }>) => setFolds((before) => new Map(before).set(line.group.id, !line.isFolded));
  const toggle = (line: Line) => {
    const alarms = line.what === "alarm" ? [line.alarm] : line.group.alarms;
    setSelectedIds((before) => {
      const isAll = alarms.every((alarm) => before.has(alarm.id));
      const after = new Set(before);
      for (const alarm of alarms) {
        if (isAll) after.delete(alarm.id);
        else after.add(alarm.id);
      }
      return after;
    });
  };
  const select = (alarms: readonly Alarm[]) => setSelectedIds(new Set(alarms.map((alarm) => alarm.id)));
  const act = (kind: ActionKind, chosen: readonly Alarm[]) => {
    if (chosen.length === 0 || !canAct) return;
    const alarms = chosen.filter((alarm) => isOffered(kind, alarm));
    if (alarms.length === 0) {
      toast(chosen.length === 1 ? `It cannot be ${DONE[kind]} any more.` : `None of the ${chosen.length} can be ${DONE[kind]} any more.`);
      return;
    }
    if (kind !== "acknowledge") {
      setAction({ kind, alarms });
      return;
    }
    // The most frequent action asks nothing; a note can be given in the sheet.
    void mark(kind, alarms, null).then((outcome) => {
      afterAction(client);
      const refused = outcome.refused[0];
      toast(`${alarmsText(outcome.done)} acknowledged.${refused ? ` ${outcome.left.length} refused: ${refused.message}` : ""}`);
      select(outcome.left);
    });
  };
  useKeys(
    Object.fromEntries([
      ...actions.map(([kind, key, label]) => [key, { label: `${label}: the alarm, or those selected`, run: () => act(kind, targets()) }]),
      ["n", { label: "Show new alarms", run: list.showWaiting }],
    ]),
  );

  const askAll = (kind: Mark) => setAction({ kind, filter });
  return (
    <section className="stack tight" aria-label="Alarms" {...inUse.props}>
      <div className="bar alarm-bar">
        {list.alarms.length > 0 && <ListTotal list={list} view={view} />}
        <span className="spring" />
        {canAct && current.length > 0 && (
          <>
            <b className="number">{current.length} selected</b>
            {actions.map(([kind, key, label]) => (
              <button key={kind} type="button" className="button" onClick={() => act(kind, current)} title={`${label} ( ${key} )`}>
                {label}
              </button>
            ))}
            <button type="button" className="button quiet" onClick={() => setSelectedIds(NONE)}>
              Select none
            </button>
          </>
        )}
        {canAct && hasAll && view === "open" && current.length === 0 && list.alarms.length > 0 && (
          <>
            <button type="button" className="button" onClick={() => askAll("acknowledge")}>
              Acknowledge all …
            </button>
            <button type="button" className="button" onClick={() => askAll("dismiss")}>
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
      <Failed faults={[...(list.error?.faults ?? []), ...list.faults]} retry={list.retry} />
      {list.isLoading && <Loading what="alarms" rows={4} />}
      {!list.isLoading && list.error === null && lines.length === 0 && (props.empty ?? <Empty title={isPast(moment) ? "No alarm was open" : "No open alarms"} />)}
      {lines.length > 0 && (
        <Grid
          key={listKey}
          label="Alarms"
          columns={isNarrow ? narrowColumns : wideColumns(isPast(moment) ? moment.at : null)}
          rows={lines}
          idOf={(line) => line.id}
          total={list.hasMore ? list.total : lines.length}
          hasMore={list.hasMore}
          readAhead={list.readAhead}
          onOpen={(line) => (line.what === "alarm" ? open(line.id) : toggleFold(line))}
          onActive={activate}
          {...(canAct ? { onToggle: toggle, selected: (line: Line) => line.what === "alarm" && selectedIds.has(line.id) } : {})}
          wide={(line) => (line.what === "group" ? <GroupHead line={line} isNarrow={isNarrow} onToggle={() => toggleFold(line)} /> : null)}
          rowClass={(line) => (line.what === "alarm" && list.gone.has(line.id) ? "gone" : "")}
          isFitted={isNarrow}
          {...(isNarrow ? { rowPx: 54 } : {})}
          {...(props.maxHeight ? { maxHeight: props.maxHeight } : {})}
        />
      )}
      {openId !== null && (
        <AlarmSheet id={openId} onClose={close} onAction={(kind, alarm) => setAction({ kind, alarms: [alarm] })} />
      )}
      {action !== null && (
        <ActionDialog
          action={action}
          onClose={() => setAction(null)}
          onDone={() => {
            setAction(null);
            setSelectedIds(NONE);
          }}
          onLeft={select}
        />
      )}
    </section>
  );
}

function ListTotal({ list, view }: { list: ReturnType<typeof useAlarms>; view: View }) {
  if (list.total === null) return null;
  const shown = list.alarms.length - list.gone.size;
  const more = list.hasMore ? ` of ${list.total.toLocaleString("en")}` : "";
  const what = view === "any" ? "events" : "alarms";
  return (
    <span className="muted number" role="status">
      {shown.toLocaleString("en")}
      {more} {shown === 1 && more === "" ? what.slice(0, -1) : what}
    </span>
  );
}
