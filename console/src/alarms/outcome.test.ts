import { expect, test } from "vitest";
import { alarm } from "./alarm.sample";
import { forEach, outcomeOf, together } from "./outcome";

const alarms = [alarm(1), alarm(2), alarm(3)];

test("trying again does only what was refused", async () => {
  const done: string[] = [];
  let isUnavailable = true;
  const run = async ({ id }: { id: string }) => {
    if (id === "e2" && isUnavailable) throw new Error("unavailable");
    done.push(id);
  };
  const first = await forEach(alarms, run);
  expect([first.done, first.left.map(({ id }) => id)]).toEqual([2, ["e2"]]);
  expect(first.refused.map(({ message }) => message)).toEqual(["Rule at Asset 2: Error: unavailable"]);
  isUnavailable = false;
  expect(await forEach(first.left, run)).toEqual({ done: 1, refused: [], left: [] });
  expect(done.toSorted()).toEqual(["e1", "e2", "e3"]);
});

test("of one request for many, a refusal of one leaves that alone, and one of the whole leaves all", () => {
  const full = { code: "LIMIT_EXCEEDED", message: "It has too many.", path: ["filter", "e3"] };
  const one = outcomeOf(alarms, [full]);
  expect([one.done, one.left.map(({ id }) => id), one.refused[0]?.message]).toEqual([2, ["e3"], "Rule at Asset 0: It has too many."]);
  const all = outcomeOf(alarms, [{ code: "BAD_USER_INPUT", message: "No.", path: ["note"] }]);
  expect([all.done, all.left.length, all.refused[0]?.message]).toEqual([0, 3, "No."]);
  expect(together(one, all)).toMatchObject({ done: 2, left: [alarms[2], ...alarms] });
});
