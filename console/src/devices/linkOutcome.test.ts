import { expect, it } from "vitest";
import { NO_LINKS, withOutcome } from "./linkOutcome";

it("adds batches up, and names of each the device that is refused", () => {
  const fault = { code: "OVERLAP", message: "The port is taken.", path: ["records", "1", "target"] };
  const first = withOutcome(NO_LINKS, { edgesCreated: 2, edgesUpdated: 0, edgesUnchanged: 1, errors: [] }, [{ name: "A" }, { name: "B" }, { name: "C" }]);
  const both = withOutcome(first, { edgesCreated: 1, edgesUpdated: 1, edgesUnchanged: 0, errors: [fault] }, [{ name: "D" }, { name: "E" }]);
  expect(both).toEqual({ created: 3, updated: 1, unchanged: 1, refused: [{ ...fault, message: "E: The port is taken." }] });
});
