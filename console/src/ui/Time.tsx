import { useEffect, useState } from "react";
import { age } from "../time/age";
import { type Micros, microsOf, now } from "../time/instant";
import { dateTime, offset, useZone } from "../time/zone";

/** An instant in the chosen zone; its exact text and offset are in the title. */
export function Instant({ at }: { at: string | null | undefined }) {
  const zone = useZone();
  if (!at) return <span className="muted">—</span>;
  const instant = microsOf(at);
  return (
    <time dateTime={at} className="nowrap number" title={`${at} (${zone} ${offset(instant, zone)})`}>
      {dateTime(instant, zone)}
    </time>
  );
}

/** How long ago an instant is, growing older by itself. `from`: another now, in the past of the console. */
export function Age({ at, from }: { at: string | null | undefined; from?: Micros | null }) {
  const tick = useSecond(from === undefined || from === null);
  const zone = useZone();
  if (!at) return <span className="muted">never</span>;
  const instant = microsOf(at);
  return (
    <time dateTime={at} className="nowrap number" title={`${dateTime(instant, zone)} (${zone})`}>
      {age(instant, from ?? Math.max(tick, instant))}
    </time>
  );
}

const listeners = new Set<(instant: Micros) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The clock, to the second; one timer for all that show an age. */
function useSecond(enabled: boolean): Micros {
  const [instant, setInstant] = useState(now);
  useEffect(() => {
    if (!enabled) return;
    listeners.add(setInstant);
    timer ??= setInterval(() => {
      const at = now();
      for (const listener of listeners) listener(at);
    }, 1000);
    return () => {
      listeners.delete(setInstant);
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, [enabled]);
  return instant;
}
