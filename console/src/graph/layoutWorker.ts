import { type Plan, placesOf } from "./layout";

// Hundreds of nodes take a while: beside the page, which stays at hand.
self.addEventListener("message", (event: MessageEvent<{ number: number; plan: Plan }>) => {
  self.postMessage({ number: event.data.number, places: placesOf(event.data.plan) });
});
