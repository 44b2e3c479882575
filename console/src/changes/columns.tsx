import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { correctionText } from "../alarms/timeline";
import { EntityLink } from "../entities/EntityLink";
import { relationshipLabel } from "../entities/relationships";
import { microsOf, textOf } from "../time/instant";
import { dateTime, useZone } from "../time/zone";
import { Empty } from "../ui/States";
import { SeverityTag } from "../ui/Tags";
import { Instant } from "../ui/Time";
import { pluralOf } from "../ui/words";
import { ChangeText, ChangeTitle, subjectWord } from "./ChangeText";
import { bundled, type EventOfRange, type HappenedEntry, type LearnedEntry } from "./items";

/** What happened in the plant, by event time. isWhole: links are listed by themselves, not only those changed lately. */
export function HappenedColumn({ items, total, loaded, isWhole, onOpen }: { items: readonly HappenedEntry[]; total: number | null; loaded: number; isWhole: boolean; onOpen: (eventId: string) => void }) {
  const bundles = bundled(items, (item) => (item.sort === "links" ? `${item.at} ${item.what} ${item.edge.relationship}` : `${item.event.rule?.id} ${item.event.entity.id}`));
  return (
    <section className="panel" aria-labelledby="happened">
      <header>
        <h2 id="happened">Happened</h2>
        <span className="muted small">in the plant, by event time</span>
      </header>
      {items.length === 0 && <Empty title="Nothing happened in this range" />}
      <ol className="plain change-list">
        {bundles.map((bundle) => (
          <Bundle key={bundle.key} bundle={bundle.items} title={happenedTitle(bundle.items)}>
            {(item) => <HappenedItem item={item} onOpen={onOpen} />}
          </Bundle>
        ))}
      </ol>
      {total !== null && total > loaded && (
        <p className="muted small">
          Of {total.toLocaleString("en")} alarms in this range, the {loaded.toLocaleString("en")} that opened last. Choose a shorter range for the others.
        </p>
      )}
      {!isWhole && <p className="muted small">Of links, only those that somebody changed in this range are listed. Choose a place or an entity to see all that began or ended.</p>}
    </section>
  );
}

function happenedTitle(items: readonly HappenedEntry[]): ReactNode {
  const first = items[0];
  if (first === undefined) return null;
  if (first.sort === "links") return `${items.length} links ${first.what}: ${relationshipLabel(first.edge.relationship, true)}`;
  return (
    <>
      <b>{first.event.rule?.name ?? "an alarm"}</b> at {first.event.entity.name}: {timesText(items)}
    </>
  );
}

function timesText(items: readonly HappenedEntry[]): string {
  const counts = (["opened", "cleared"] as const).map((what) => ({ what, count: items.filter((item) => item.what === what).length }));
  return counts
    .filter(({ count }) => count > 0)
    .map(({ what, count }) => `${what} ${count === 1 ? "once" : `${count} times`}`)
    .join(", ");
}

function HappenedItem({ item, onOpen }: { item: HappenedEntry; onOpen: (id: string) => void }) {
  if (item.sort === "links") {
    return (
      <div>
        <b>link {item.what}</b> <EntityLink entity={item.edge.source} /> {relationshipLabel(item.edge.relationship, true)} <EntityLink entity={item.edge.target} />
        {item.edge.port != null && <span className="muted"> at port {item.edge.port}</span>}
      </div>
    );
  }
  return (
    <div>
      <b>alarm {item.what}</b> <EventName event={item.event} onOpen={onOpen} />
    </div>
  );
}

function EventName({ event, onOpen }: { event: EventOfRange; onOpen: (id: string) => void }) {
  return (
    <>
      <SeverityTag severity={event.severity} />{" "}
      <button type="button" className="link-button" onClick={() => onOpen(event.id)}>
        {event.rule?.name ?? "an alarm"}
      </button>{" "}
      at <EntityLink entity={event.entity} />
    </>
  );
}

/** What was learned, by system time: corrections, new states, and alarms that the data no longer have. */
export function LearnedColumn({ items, onActor, onOpen }: { items: readonly LearnedEntry[]; onActor: (actor: string) => void; onOpen: (eventId: string) => void }) {
  const bundles = bundled(items, togetherOf);
  return (
    <section className="panel" aria-labelledby="learned">
      <header>
        <h2 id="learned">Learned</h2>
        <span className="muted small">by the time at which Argus recorded it</span>
      </header>
      {items.length === 0 && <Empty title="Nothing was recorded in this range" />}
      <ol className="plain change-list">
        {bundles.map((bundle) => (
          <Bundle key={bundle.key} bundle={bundle.items} title={learnedTitle(bundle.items)}>
            {(item) => <LearnedItem item={item} onOpen={onOpen} onActor={onActor} />}
          </Bundle>
        ))}
      </ol>
    </section>
  );
}

const TOGETHER_US = 1e6;

function togetherOf(item: LearnedEntry): string {
  const second = Math.floor(item.at / TOGETHER_US);
  if (item.sort === "alarms") return `${second} ${item.isWithdrawn} ${item.event.entity.id}`;
  return item.followed.length > 0 ? item.key : `${second} ${item.change.actor} ${item.change.action} ${subjectWord(item.change)}`;
}

function learnedTitle(items: readonly LearnedEntry[]): ReactNode {
  const first = items[0];
  if (first === undefined) return null;
  if (first.sort === "alarms") return `${items.length} alarms ${first.isWithdrawn ? "withdrawn" : "corrected"} at ${first.event.entity.name}`;
  return `${items.length} ${pluralOf(subjectWord(first.change))} ${first.change.action} by ${first.change.actor}`;
}

function LearnedItem({ item, onOpen, onActor }: { item: LearnedEntry; onOpen: (id: string) => void; onActor: (actor: string) => void }) {
  const zone = useZone();
  if (item.sort === "alarms") {
    const detail = item.correction === null ? null : correctionText(item.correction, (at) => dateTime(microsOf(at), zone)).detail;
    return (
      <>
        <div>
          <b>alarm {item.isWithdrawn ? "withdrawn" : "corrected"}</b> <EventName event={item.event} onOpen={onOpen} />
        </div>
        {detail !== null && <div className="muted">{detail}</div>}
      </>
    );
  }
  const { change, followed } = item;
  return (
    <>
      <div>
        <ChangeTitle change={change} />
      </div>
      <ChangeText change={change} />
      <div className="muted">
        by{" "}
        <button type="button" className="link-button" onClick={() => onActor(change.actor)} title="Only changes by this actor">
          {change.actor}
        </button>
        {change.reason && <>: “{change.reason}”</>}
      </div>
      {followed.length > 0 && <Followed events={followed} onOpen={onOpen} />}
    </>
  );
}

const FOLLOWED_SHOWN = 3;

function Followed({ events, onOpen }: { events: readonly EventOfRange[]; onOpen: (id: string) => void }) {
  const withdrawn = events.filter((event) => event.withdrawnAt).length;
  const corrected = events.length - withdrawn;
  const counts = [withdrawn > 0 ? `${withdrawn} withdrawn` : "", corrected > 0 ? `${corrected} corrected` : ""].filter((text) => text !== "").join(", ");
  return (
    <div className="followed">
      <b>Because of it</b>, alarms: {counts}
      <ul className="plain">
        {events.slice(0, FOLLOWED_SHOWN).map((event) => (
          <li key={event.id}>
            <EventName event={event} onOpen={onOpen} /> <Instant at={event.openedAt} />
          </li>
        ))}
        {events.length > FOLLOWED_SHOWN && <li className="muted">and {events.length - FOLLOWED_SHOWN} more, listed by themselves</li>}
      </ul>
    </div>
  );
}

/** One item with its instant, or several in one line that opens. */
function Bundle<I extends { key: string; at: number }>({ bundle, title, children }: { bundle: readonly I[]; title: ReactNode; children: (item: I) => ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  const first = bundle[0];
  if (first === undefined) return null;
  const at = (item: I) => (
    <Link to="." search={(before) => ({ ...before, at: textOf(item.at), known: undefined })} className="when" title="Show this moment">
      <Instant at={textOf(item.at)} />
    </Link>
  );
  if (bundle.length === 1) {
    return (
      <li>
        {at(first)}
        {children(first)}
      </li>
    );
  }
  return (
    <li>
      {at(first)}
      <button type="button" className="link-button" aria-expanded={isOpen} onClick={() => setOpen((shown) => !shown)}>
        <span aria-hidden="true">{isOpen ? "▾" : "▸"} </span>
        {title}
      </button>
      {isOpen && (
        <ol className="plain change-list inner">
          {bundle.map((item) => (
            <li key={item.key}>
              {at(item)}
              {children(item)}
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}
