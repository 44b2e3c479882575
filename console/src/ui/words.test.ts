import { expect, it } from "vitest";
import { pluralOf } from "./words";

it("puts the words for what changes into the plural", () => {
  const words = ["link", "device token", "activity", "API key", "shelf", "type", "maintenance window", "address"];
  expect(words.map(pluralOf)).toEqual(["links", "device tokens", "activities", "API keys", "shelves", "types", "maintenance windows", "addresses"]);
});
