import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { InstantInput } from "../ui/InstantInput";
import { useKeys } from "../ui/keys";
import { toast } from "../ui/Toasts";
import "./time-bar.css";
import { type Micros, now, textOf } from "../time/instant";
import { LIVE, type Moment, type Search, unreadOf } from "../time/moment";
import { useCurrentSubject } from "../time/subject";
import { currentPreview, setPreview, useMoment } from "../time/useMoment";
import { type Tick, useTicks } from "./useTicks";
import { dateTime, useZone } from "../time/zone";

const WINDOWS: readonly [label: string, seconds: number][] = [
  ["1 h", 3600],
  ["24 h", 86_400],
  ["7 d", 604_800],
  ["30 d", 2_592_000],
  ["1 y", 31_536_000],
];
const STEPS = 1000;
const REST_MS = 250;

/**
 * The one time bar of the console: live, what was true, or what was seen then.
 *
 * While the thumb moves nothing is asked; the address changes when it has rested for 250 ms.
 */
export function TimeBar() {
  const { moment, setMoment } = useMoment();
  const [windowS, setWindowS] = useState(86_400);
  const [thumb, setThumb] = useState<Micros | null>(null);
  const zone = useZone();
  const navigate = useNavigate();
  const subject = useCurrentSubject();
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);
  const clock = useMinute();
  const at = moment.mode === "live" ? null : moment.at;
  // The window ends now, or far enough after a moment that lies outside of it.
  const isOutside = at !== null && (at < clock - windowS * 1e6 || at > now());
  const end = isOutside ? at + (windowS * 1e6) / 2 : clock;
  const start = end - windowS * 1e6;
  const { ticks, isPartial } = useTicks(start, end, moment.mode === "seen" ? moment.at : null);
  const shown = thumb ?? at ?? end;

  const choose = (next: Micros, mode: "true" | "seen" = moment.mode === "seen" ? "seen" : "true") => {
    clearTimeout(rest.current);
    setThumb(null);
    setMoment(next >= now() ? LIVE : { mode, at: Math.round(next / 1e6) * 1e6 });
  };
  const drag = (next: Micros) => {
    setThumb(next);
    setPreview(next);
    clearTimeout(rest.current);
    // Unless another moment was chosen meanwhile.
    rest.current = setTimeout(() => {
      if (currentPreview() === next) choose(next);
    }, REST_MS);
  };
  const jump = (direction: 1 | -1) => {
    const from = at ?? end;
    const next = direction > 0 ? ticks.find((tick) => tick.at > from) : ticks.findLast((tick) => tick.at < from);
    if (next) {
      setThumb(null);
      setMoment({ mode: moment.mode === "seen" ? "seen" : "true", at: next.at });
    } else {
      const where = subject === null ? "No alarm" : "No change of a link and no alarm";
      toast(`${where} ${direction > 0 ? "after this" : "before this"} in the ${WINDOWS.find(([, seconds]) => seconds === windowS)?.[0]} of the time bar.`);
    }
  };
  const compare = () => {
    const from = textOf(at ?? start);
    const of = subject === null ? {} : "underId" in subject ? { under: subject.underId } : { entity: subject.entityIds[0] };
    void navigate({ to: "/changes", search: (before) => ({ ...before, from, to: textOf(now()), ...of }) });
  };
  const setMode = (mode: Moment["mode"]) => {
    if (mode === "live") setMoment(LIVE);
    else setMoment({ mode, at: at ?? Math.floor((clock - (windowS * 1e6) / 24) / 1e6) * 1e6 });
  };
  useKeys({
    l: { label: "Live", run: () => setMoment(LIVE) },
    "[": { label: "Previous change in time", run: () => jump(-1) },
    "]": { label: "Next change in time", run: () => jump(1) },
    c: { label: "Compare this moment with now", run: compare },
  });
  return (
    <section className="time-bar" aria-label="Time" data-mode={moment.mode}>
      <fieldset className="time-modes">
        <legend className="visually-hidden">Which moment is shown</legend>
        {MODES.map(([mode, label, title]) => (
          <button
            key={mode}
            type="button"
            className="button"
            aria-pressed={moment.mode === mode}
            title={title}
            onClick={() => setMode(mode)}
          >
            {label}
          </button>
        ))}
      </fieldset>
      <button type="button" className="button quiet" aria-label="Previous change" title="Previous change ( [ )" onClick={() => jump(-1)}>
        ‹
      </button>
      <div className="time-track">
        <Ticks ticks={ticks} start={start} end={end} />
        <input
          type="range"
          min={0}
          max={STEPS}
          value={Math.round(((shown - start) / (end - start)) * STEPS)}
          aria-label="Moment"
          aria-valuetext={moment.mode === "live" && thumb === null ? "Live" : dateTime(shown, zone)}
          onChange={(event) => drag(start + (Number(event.target.value) / STEPS) * (end - start))}
        />
        <span className="time-ends small muted" aria-hidden="true">
          <span>{dateTime(start, zone)}</span>
          <span>
            {isOutside ? dateTime(end, zone) : "now"} ({zone})
          </span>
        </span>
      </div>
      <button type="button" className="button quiet" aria-label="Next change" title="Next change ( ] )" onClick={() => jump(1)}>
        ›
      </button>
      <InstantInput label={`Moment, in ${zone}`} value={moment.mode === "live" && thumb === null ? null : shown} onChoose={choose} />
      <select aria-label="Length of the time bar" value={windowS} onChange={(event) => setWindowS(Number(event.target.value))}>
        {WINDOWS.map(([label, seconds]) => (
          <option key={label} value={seconds}>
            {label}
          </option>
        ))}
      </select>
      <button type="button" className="button compare" onClick={compare} title="What changed since this moment ( c )">
        Compare
      </button>
      {isPartial && <span className="tag" title="There are more changes in this window than are marked">marks in part</span>}
    </section>
  );
}

const MODES: readonly [Moment["mode"], string, string][] = [
  ["live", "Live", "What is true now ( l )"],
  ["true", "What was true", "What was true at a moment, as far as is known today"],
  ["seen", "What we saw then", "What was known at a moment about that moment"],
];

function Ticks({ ticks, start, end }: { ticks: readonly Tick[]; start: Micros; end: Micros }) {
  return (
    <svg className="time-ticks" viewBox={`0 0 ${STEPS} 10`} preserveAspectRatio="none" role="img" aria-label={tickText(ticks)}>
      {ticks.map((tick, index) => (
        <rect
          key={`${tick.at} ${tick.what} ${index}`}
          className={tick.what}
          x={((tick.at - start) / (end - start)) * STEPS}
          y={tick.what === "link" ? 0 : 5}
          width={2}
          height={5}
        />
      ))}
    </svg>
  );
}

function tickText(ticks: readonly Tick[]): string {
  const links = ticks.filter((tick) => tick.what === "link").length;
  return `${links} changes of links and ${ticks.length - links} alarms in this window`;
}

function useMinute(): Micros {
  const [instant, setInstant] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setInstant(now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return instant;
}

/** What is written under the bar while the console does not show the present. */
export function PastBanner() {
  const { moment, setMoment } = useMoment();
  const zone = useZone();
  const unread = unreadOf(useSearch({ strict: false }) as Search);
  if (unread !== null) {
    return (
      <div className="past-banner" role="alert">
        <b>The address names no moment that can be read: {unread.length > 60 ? `${unread.slice(0, 60)}…` : unread}</b>
        <span>
          {moment.mode === "live" ? "What is shown is live." : `What is shown was true at ${dateTime(moment.at, zone)} (${zone}), as far as is known today.`} A
          moment is written like 2026-03-01T08:00:00Z.
        </span>
        <button type="button" className="button" onClick={() => setMoment(moment)}>
          {moment.mode === "live" ? "Stay live" : "Stay there"}
        </button>
      </div>
    );
  }
  if (moment.mode === "live") return null;
  if (moment.at > now()) {
    return (
      <div className="past-banner" role="status">
        <b>
          What will be true at {dateTime(moment.at, zone)} ({zone})
        </b>
        <span>as far as is known today: it is still to come. Read-only, but for correcting links.</span>
        <button type="button" className="button" onClick={() => setMoment(LIVE)}>
          Back to live
        </button>
      </div>
    );
  }
  return (
    <div className="past-banner" role="status">
      <b>
        {moment.mode === "true" ? "What was true" : "What we saw"} at {dateTime(moment.at, zone)} ({zone})
      </b>
      <span>
        {moment.mode === "true" ? "as far as is known today" : "as it was known at that moment"}. Read-only, but for
        correcting links.
      </span>
      <button type="button" className="button" onClick={() => setMoment(LIVE)}>
        Back to live
      </button>
    </div>
  );
}
