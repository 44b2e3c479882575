import { type Plan, placesOf } from "./layout";

self.addEventListener("message", (event: MessageEvent<Plan>) => self.postMessage(placesOf(event.data)));
