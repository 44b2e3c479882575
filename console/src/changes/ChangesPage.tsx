import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { AlarmSheet } from "../alarms/AlarmSheet";
import { useOpenAlarm } from "../alarms/useOpenAlarm";
import { lastVisit } from "./visit";
import type { Search } from "../time/moment";
import { type Micros, microsOf, now, textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { dateMinute, useZone } from "../time/zone";
import { download } from "../ui/download";
import { InstantInput } from "../ui/InstantInput";
import { PageName } from "../ui/PageName";
import { type Choice, Picker } from "../ui/Picker";
import { Failed, Loading } from "../ui/States";
import "./changes.css";
import { HappenedColumn, LearnedColumn } from "./columns";
import { changesCsv, exportRows } from "./exportChanges";
import { type Sort, SORTS } from "./items";
import { type Subject, useChanges } from "./useChanges";

const DAY_US = 86_400e6;

function instantOf(text: string | undefined): Micros | null {
  try {
    return text === undefined ? null : microsOf(text);
  } catch {
    return null;
  }
}

/**
 * What changed between two moments, in two columns: what happened in the plant, and what was learned about it.
 *
 * Two requests; with an entity or a space four.
 */
export function ChangesPage() {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const zone = useZone();
  const { moment } = useMoment();
  const set = (part: Record<string, string | undefined>) => void navigate({ to: ".", search: (before) => ({ ...before, ...part }), replace: true });
  const { openId, open, close } = useOpenAlarm();
  const visit = useMemo(lastVisit, []);
  // To the minute, so that the range stays the same while the page is open.
  const clock = useMemo(() => Math.ceil(now() / 60e6) * 60e6, [search.from, search.to, search.at]);
  const end = isPast(moment) ? moment.at : clock;
  const to = instantOf(search.to) ?? end;
  const from = instantOf(search.from) ?? Math.min(instantOf(visit ?? undefined) ?? to - DAY_US, to - 60e6);
  const unread = (["from", "to"] as const).filter((name) => search[name] !== undefined && instantOf(search[name]) === null);
  const subject: Subject = search.entity !== undefined ? { entity: search.entity } : search.under !== undefined ? { under: search.under } : null;
  const knownAt = moment.mode === "seen" ? moment.at : null;
  const actor = search.actor ?? null;
  const changes = useChanges({ from, to: knownAt === null ? to : Math.min(to, knownAt), subject, knownAt, actor, isSeen: moment.mode === "seen" });

  const chosen = (search.kinds ?? "").split(",").filter((name): name is Sort => SORTS.some(([sort]) => sort === name));
  const isShown = (sort: Sort) => chosen.length === 0 || chosen.includes(sort);
  const happened = changes.happened.filter((item) => isShown(item.sort));
  const learned = changes.learned.filter((item) => isShown(item.sort) && (actor === null || item.sort !== "alarms"));
  const toggle = (sort: Sort) => {
    const all = SORTS.map(([name]) => name);
    const shown = chosen.length === 0 ? all : chosen;
    const next = shown.includes(sort) ? shown.filter((name) => name !== sort) : [...shown, sort];
    set({ kinds: next.length === 0 || next.length === all.length ? undefined : next.join() });
  };
  const save = (form: "csv" | "json") => {
    const rows = exportRows(happened, learned);
    const name = `changes ${dateMinute(from, zone)} to ${dateMinute(to, zone)}.${form}`.replaceAll(":", ".");
    if (form === "csv") download(name, "text/csv", changesCsv(rows));
    else download(name, "application/json", JSON.stringify(rows, null, 2));
  };
  const entity = changes.entity;
  const choice: Choice | null = entity ? { id: entity.id, name: entity.name, kind: entity.kind, type: entity.type ?? null } : null;
  const range = (fromAt: Micros) => set({ from: textOf(Math.floor(fromAt / 1e6) * 1e6), to: undefined });
  return (
    <div className="stack">
      <PageName name="Changes" />
      <div className="filter-bar">
        <label>
          From ({zone})
          <InstantInput label={`From, in ${zone}`} value={from} onChoose={(instant) => set({ from: textOf(instant) })} />
        </label>
        <label>
          To ({zone})
          <InstantInput label={`To, in ${zone}`} value={to} onChoose={(instant) => set({ to: textOf(instant) })} />
        </label>
        <div className="bar">
          {visit !== null && (
            <button type="button" className="button" onClick={() => range(microsOf(visit))}>
              Since the last visit
            </button>
          )}
          <button type="button" className="button" onClick={() => range(end - DAY_US)}>
            24 h
          </button>
          <button type="button" className="button" onClick={() => range(end - 7 * DAY_US)}>
            7 d
          </button>
        </div>
      </div>
      <div className="filter-bar">
        <div className="under-filter">
          <Picker
            label={search.entity === undefined ? "Located under" : "At one entity"}
            value={choice}
            onChoose={(next) => set({ entity: undefined, under: next?.id })}
          />
        </div>
        {entity && (
          <label className="inline">
            <input
              type="checkbox"
              checked={search.entity === undefined}
              onChange={(event) => set(event.target.checked ? { entity: undefined, under: entity.id } : { entity: entity.id, under: undefined })}
            />
            with all that is located under it
          </label>
        )}
        <fieldset className="time-modes sorts">
          <legend className="visually-hidden">Kinds of change</legend>
          {SORTS.map(([sort, label]) => (
            <button key={sort} type="button" className="button" aria-pressed={isShown(sort)} onClick={() => toggle(sort)}>
              {label}
            </button>
          ))}
        </fieldset>
        {actor !== null && (
          <button type="button" className="button" onClick={() => set({ actor: undefined })}>
            by {actor} ✕
          </button>
        )}
      </div>
      {unread.map((name) => (
        <p key={name} className="notice" role="alert">
          The address names no instant that can be read: {name}={search[name]?.slice(0, 60)}. What is shown is of the range above.
        </p>
      ))}
      {from >= to && (
        <p className="notice" role="alert">
          The range ends before it begins, so that nothing is in it.{" "}
          <button type="button" className="button" onClick={() => set({ from: textOf(to), to: textOf(from) })}>
            Swap its ends
          </button>
        </p>
      )}
      <Failed faults={changes.faults} retry={changes.retry} />
      {changes.isLoading ? (
        <Loading what="changes" rows={4} />
      ) : (
        <div className="two-columns">
          <HappenedColumn items={happened} total={changes.eventsTotal} loaded={changes.eventsLoaded} isWhole={subject !== null} onOpen={open} />
          <LearnedColumn items={learned} onActor={(name) => set({ actor: name })} onOpen={open} />
        </div>
      )}
      <div className="bar">
        <span className="muted number" role="status">
          {changes.changesTotal === null ? "" : `${changes.changesTotal.toLocaleString("en")} recorded ${changes.changesTotal === 1 ? "change" : "changes"}, ${changes.changesLoaded.toLocaleString("en")} loaded`}
        </span>
        {changes.hasMore && (
          <button type="button" className="button" onClick={changes.loadMore} disabled={changes.isFetching}>
            Show more
          </button>
        )}
        <span className="spring" />
        <button type="button" className="button" onClick={() => save("csv")} disabled={happened.length + learned.length === 0}>
          CSV of what is listed
        </button>
        <button type="button" className="button" onClick={() => save("json")} disabled={happened.length + learned.length === 0}>
          JSON
        </button>
      </div>
      {openId !== null && <AlarmSheet id={openId} onClose={close} onAction={null} />}
    </div>
  );
}
