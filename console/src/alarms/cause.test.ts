import { expect, test } from "vitest";
import { causeOf, type ChangeOfTrail } from "./cause";

const link: ChangeOfTrail = {
  recordedAt: "2026-03-02T08:00:00Z",
  actor: "ada",
  action: "corrected",
  before: { sourceId: "asset", targetId: "sensor", relationship: "MONITORED_BY", validFrom: "2026-01-01T00:00:00Z" },
  after: { sourceId: "asset", targetId: "sensor", relationship: "MONITORED_BY", validFrom: "2026-03-01T00:00:00Z" },
  reason: "mounted later",
  subject: {
    __typename: "Edge",
    id: "v2",
    relationship: "MONITORED_BY",
    source: { id: "asset", name: "Pump" },
    target: { id: "sensor", name: "Sensor 7" },
  },
};
const near = new Set(["asset"]);

test("a correction of a link of the entity explains a correction of its events", () => {
  expect(causeOf([link], { near, ruleId: null })).toEqual({
    isOfLink: true,
    text: "a link between Pump and Sensor 7 was corrected",
    actor: "ada",
    at: "2026-03-02T08:00:00Z",
    reason: "mounted later",
  });
});

test("what does not concern the entity's past explains nothing", () => {
  expect(causeOf([link], { near: new Set(["other"]), ruleId: null })).toBeNull();
  const fromNowOn = { ...link, action: "created", before: null, after: { sourceId: "asset", targetId: "s", validFrom: "2026-03-02T08:00:00Z", validUntil: null } };
  expect(causeOf([fromNowOn], { near, ruleId: null })).toBeNull();
  const work = { ...link, subject: { ...link.subject, __typename: "Edge", id: "v3", relationship: "TARGETS" } };
  expect(causeOf([work], { near, ruleId: null })).toBeNull();
});

test("a change of the rule explains it where no link does", () => {
  const rule: ChangeOfTrail = { recordedAt: "2026-03-02T08:00:00Z", actor: "eve", action: "updated", subject: { __typename: "Rule", id: "r" } };
  expect(causeOf([rule], { near, ruleId: "r" })?.text).toBe("the rule was updated");
  expect(causeOf([rule, link], { near, ruleId: "r" })?.actor).toBe("ada");
});
