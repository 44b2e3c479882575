import { useCallback, useState } from "react";
import { SupplyStrip } from "./SupplyStrip";
import { type Range, TelemetryPanel } from "./TelemetryPanel";

/** The series of an asset or a space, and below them, on their axis, which device supplied which stretch. */
export function SuppliedTelemetry({ entityId }: { entityId: string }) {
  const [range, setRange] = useState<Range | null>(null);
  const show = useCallback((next: Range) => setRange(next), []);
  return (
    <div className="stack">
      <TelemetryPanel entityId={entityId} onRange={show} />
      {range && <SupplyStrip entityId={entityId} range={range} />}
    </div>
  );
}
