import type { Fault } from "../api/request";

/** What became of links that were made or counted, over all batches; refusals name the device. */
export type LinkOutcome = { created: number; updated: number; unchanged: number; refused: readonly Fault[] };

export const NO_LINKS: LinkOutcome = { created: 0, updated: 0, unchanged: 0, refused: [] };

type Payload = { edgesCreated: number; edgesUpdated: number; edgesUnchanged: number; errors: readonly Fault[] };

/** Return an outcome with that of one more batch. */
export function withOutcome(before: LinkOutcome, payload: Payload, batch: readonly { name: string }[]): LinkOutcome {
  return {
    created: before.created + payload.edgesCreated,
    updated: before.updated + payload.edgesUpdated,
    unchanged: before.unchanged + payload.edgesUnchanged,
    refused: [...before.refused, ...payload.errors.map((fault) => ({ ...fault, message: `${nameAt(batch, fault)}${fault.message}` }))],
  };
}

function nameAt(batch: readonly { name: string }[], fault: Fault): string {
  const index = fault.path.map(Number).find((part) => Number.isInteger(part));
  const device = index === undefined ? undefined : batch[index];
  return device ? `${device.name}: ` : "";
}
