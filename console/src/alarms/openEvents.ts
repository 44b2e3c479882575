import { textOf } from "../time/instant";
import { isPast, type Moment } from "../time/moment";

/** Return the part of a filter by which events are open at the moment shown. */
export function openEvents(moment: Moment) {
  return isPast(moment)
    ? { states: null, openAt: textOf(moment.at) }
    : { states: ["OPEN" as const, "ACKNOWLEDGED" as const], openAt: null };
}
