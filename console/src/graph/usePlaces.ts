import { useEffect, useMemo, useState } from "react";
import { type Places, type Plan, placesOf } from "./layout";

// More boxes than these take long enough to be noticed: beside the page, which stays at hand.
const AT_ONCE_MOST = 200;

/** Where the boxes of a plan stand; those of the plan before until it is known, null at first. */
export function usePlaces(plan: Plan): Places | null {
  const isSmall = plan.boxes.length <= AT_ONCE_MOST;
  const key = JSON.stringify(plan);
  const small = useMemo(() => (isSmall ? placesOf(JSON.parse(key) as Plan) : null), [isSmall, key]);
  const [large, setLarge] = useState<Places | null>(null);
  useEffect(() => {
    if (isSmall) return;
    const worker = new Worker(new URL("./layoutWorker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", (event: MessageEvent<Places>) => setLarge(event.data));
    worker.postMessage(JSON.parse(key) as Plan);
    // Another plan, or none, is wanted: this one need not be finished.
    return () => worker.terminate();
  }, [isSmall, key]);
  return small ?? large;
}
