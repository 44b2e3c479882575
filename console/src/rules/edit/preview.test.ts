import { expect, test } from "vitest";
import { textOf } from "../../time/instant";
import { bandOf, byEntity, noiseOf, type Tried } from "./preview";

const MINUTE = 60e6;
const DAY = 86_400e6;

function tried(entityId: string, openedMin: number, clearedMin: number | null, flaps = 0): Tried {
  const at = (minutes: number) => textOf(minutes * MINUTE);
  return { entityId, beganAt: at(openedMin), openedAt: at(openedMin), clearedAt: clearedMin === null ? null : at(clearedMin), value: 1, flaps };
}

test("episodes are shown by entity, the noisiest first; one that only the version in force had is shown, too", () => {
  const rows = byEntity([tried("a", 0, 1), tried("b", 0, 1), tried("b", 5, 6)], [tried("c", 0, 1), tried("a", 0, 1)]);
  expect(rows.map((row) => [row.entityId, row.drafted.length, row.inForce.length])).toEqual([
    ["b", 2, 0],
    ["a", 1, 1],
    ["c", 0, 1],
  ]);
});

test("a rule is noisy by its alarms a day at one entity, by fleeting and merged ones, and where most entities fire", () => {
  expect(noiseOf([tried("a", 0, 60)], 10, 0, DAY)).toEqual([]);
  const often = Array.from({ length: 8 }, (_, n) => tried("a", n * 100, n * 100 + 60));
  expect(noiseOf(often, 10, 0, DAY).join()).toMatch(/^It is noisy: up to 8 alarms a day/);
  expect(noiseOf(often, 10, 0, 7 * DAY)).toEqual([]);
  const fleeting = Array.from({ length: 4 }, (_, n) => tried("a", n * 100, n * 100 + 0.5));
  expect(noiseOf(fleeting, 10, 0, DAY).join()).toMatch("4 of 4 alarms would last less than a minute");
  expect(noiseOf([tried("a", 0, 60, 3)], 10, 0, DAY).join()).toMatch("3 further alarms would be merged");
  expect(noiseOf([tried("a", 0, 60), tried("b", 0, 60)], 3, 0, DAY).join()).toMatch("at 2 of 3 entities");
});

test("an episode lies within the range, and one that is open reaches its end", () => {
  expect(bandOf(tried("a", 60, 120), 0, 240 * MINUTE)).toEqual({ left: 25, width: 25 });
  expect(bandOf(tried("a", 60, null), 0, 240 * MINUTE)).toEqual({ left: 25, width: 75 });
  expect(bandOf(tried("a", 0, 300), 60 * MINUTE, 240 * MINUTE)).toEqual({ left: 0, width: 100 });
});
