import { type Fault, RequestError } from "../api/request";

/** Return what an error says as refusals. */
export function faultsOf(error: unknown): readonly Fault[] {
  if (error === null || error === undefined) return [];
  if (error instanceof RequestError) return error.faults;
  return [{ code: "INTERNAL", message: error instanceof Error ? error.message : String(error), path: [] }];
}
