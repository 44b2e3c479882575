import { type EdgeTimes, type EdgeVersion, versionOf } from "../time/holds";

/**
 * Return edges of several pages as versions, each once, as the page that was read last has it.
 *
 * While pages are read, a version may be recorded that moves the others on: what was at the end of one page is at the
 * beginning of the next, too.
 */
export function versionsOf<E extends EdgeTimes>(edges: readonly E[]): (EdgeVersion & { edge: E })[] {
  return [...new Map(edges.map((edge) => [edge.id, edge])).values()].map((edge) => versionOf(edge));
}
