import { useEffect, useRef, useState } from "react";
import type { Places, Plan } from "./layout";

/** Where the boxes of a plan stand; those of the plan before until it is known, null at first. */
export function usePlaces(plan: Plan): Places | null {
  const [places, setPlaces] = useState<Places | null>(null);
  const worker = useRef<Worker | null>(null);
  const requested = useRef(0);
  useEffect(() => {
    const started = new Worker(new URL("./layoutWorker.ts", import.meta.url), { type: "module" });
    started.addEventListener("message", (event: MessageEvent<{ number: number; places: Places }>) => {
      // Another plan was requested for meanwhile.
      if (event.data.number === requested.current) setPlaces(event.data.places);
    });
    worker.current = started;
    return () => started.terminate();
  }, []);
  const key = JSON.stringify(plan);
  useEffect(() => {
    requested.current++;
    worker.current?.postMessage({ number: requested.current, plan: JSON.parse(key) as Plan });
  }, [key]);
  return places;
}
