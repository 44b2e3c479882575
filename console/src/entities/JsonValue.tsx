import { Instant } from "../ui/Time";

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** A value of JSON in a line: instants in the chosen zone, objects as their text. */
export function JsonValue({ value }: { value: unknown }) {
  if (value === undefined || value === null || value === "") return <span className="muted">none</span>;
  if (typeof value === "string") return INSTANT.test(value) ? <Instant at={value} /> : <>{value}</>;
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (typeof value === "number") return <span className="number">{value}</span>;
  return <code className="wrap">{JSON.stringify(value)}</code>;
}
