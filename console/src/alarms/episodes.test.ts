import { expect, test } from "vitest";
import { textOf } from "../time/instant";
import { earlierOf } from "./episodes";

const episode = (hour: number, port: string | null = null) => ({ id: `${hour} ${port}`, port, openedAt: textOf(hour * 3600e6) });

test("the episodes before an alarm are those that opened before it, at its port", () => {
  const all = [9, 8, 7, 6, 5, 4, 3].map((hour) => episode(hour));
  expect(earlierOf(episode(8), all).map(({ id }) => id)).toEqual(["7 null", "6 null", "5 null", "4 null"]);
  expect(earlierOf(episode(3), all)).toEqual([]);
  const ports = [episode(5, "1"), episode(4, "2"), episode(3, "1")];
  expect(earlierOf(episode(6, "1"), ports).map(({ id }) => id)).toEqual(["5 1", "3 1"]);
});
