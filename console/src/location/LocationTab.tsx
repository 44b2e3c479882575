import type { Named } from "../entities/above";

export function LocationTab(_: { entityId: string; name: string; own: unknown; isNow: boolean; path: readonly Named[] }) {
  return <p className="muted">…</p>;
}
