import type { Fault } from "../../api/request";

/** A place in the input of a rule, without the name of the argument, e.g. ["condition", "allOf", "0"]. */
export type Place = readonly (string | number)[];

function placeOf(fault: Fault): string[] {
  const path = fault.path.map(String);
  return path[0] === "input" ? path.slice(1) : path;
}

/** Return the refusals at exactly this place. */
export function faultsAt(faults: readonly Fault[], place: Place): Fault[] {
  const key = place.join("\n");
  return faults.filter((fault) => placeOf(fault).join("\n") === key);
}

/** Return the refusals at or below a place that none of its fields shows. fields: places relative to it. */
export function faultsBelow(faults: readonly Fault[], place: Place, fields: readonly Place[]): Fault[] {
  const shown = new Set(fields.map((field) => [...place, ...field].join("\n")));
  return faults.filter((fault) => {
    const path = placeOf(fault);
    return place.every((part, index) => path[index] === String(part)) && !shown.has(path.join("\n"));
  });
}

/** Return the refusals that are about none of these members of the input. */
export function faultsOutside(faults: readonly Fault[], members: readonly string[]): Fault[] {
  return faults.filter((fault) => !members.includes(placeOf(fault)[0] ?? ""));
}
