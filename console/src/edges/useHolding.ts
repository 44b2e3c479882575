import type { EdgeVersion } from "../time/holds";
import { current } from "../time/diff";
import { useMoment, useShown } from "../time/useMoment";
import type { Micros } from "../time/instant";

/** Return the versions that hold at the moment shown, the thumb's while it moves; without a request. */
export function useHolding<V extends EdgeVersion>(versions: readonly V[]): { holding: V[]; asOf: Micros; knownAt: Micros | null } {
  const { moment } = useMoment();
  const { asOf, knownAt, isPreview } = useShown();
  // While live, now is the server's: what it recorded a moment ago is not in the future, whatever this clock says.
  const newest = moment.mode === "live" && !isPreview ? versions.reduce((most, version) => Math.max(most, version.recordedAt), asOf) : asOf;
  return { holding: current(versions, newest, knownAt), asOf, knownAt };
}

/** Return the version of the same edge that is believed now, which is the one that corrections start from; null: it was taken back. */
export function believedNow<V extends EdgeVersion>(versions: readonly V[], version: V): V | null {
  return version.retractedAt === null ? version : (versions.find((other) => other.edgeId === version.edgeId && other.retractedAt === null) ?? null);
}
