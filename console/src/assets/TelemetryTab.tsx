import { useCallback, useState } from "react";
import type { Range } from "../telemetry/panelView";
import { TelemetryPanel } from "../telemetry/TelemetryPanel";
import { SupplierStrip } from "./SupplierStrip";

/** The series of an asset or a space, and below them which device supplied which range. */
export function TelemetryTab({ entityId }: { entityId: string }) {
  const [range, setRange] = useState<Range | null>(null);
  const onRange = useCallback((shown: Range) => setRange(shown), []);
  return (
    <div className="stack">
      <TelemetryPanel entityId={entityId} onRange={onRange} />
      {range !== null && <SupplierStrip entityId={entityId} fromMs={range.fromMs} toMs={range.toMs} />}
    </div>
  );
}
