import type { Micros } from "./instant";

/** Return an age in one unit, e.g. "5 s", "3 min", "2 h", "4 d"; of the future with "in". */
export function age(from: Micros, to: Micros): string {
  const seconds = Math.round((to - from) / 1e6);
  const text = (value: number): string => {
    if (value < 120) return `${value} s`;
    if (value < 7200) return `${Math.round(value / 60)} min`;
    if (value < 172_800) return `${Math.round(value / 3600)} h`;
    return `${Math.round(value / 86_400)} d`;
  };
  return seconds < 0 ? `in ${text(-seconds)}` : text(seconds);
}
