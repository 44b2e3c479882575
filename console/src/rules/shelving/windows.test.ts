import { expect, test } from "vitest";
import { textOf } from "../../time/instant";
import { placedAt } from "./windows";

const window = (from: number, to: number) => ({ from: textOf(from * 60e6), to: textOf(to * 60e6) });

test("windows are placed by when they apply; one that ends at the instant is over", () => {
  const [a, b, c, d, e] = [window(0, 10), window(5, 20), window(5, 15), window(12, 30), window(11, 12)];
  const placed = placedAt([a, b, c, d, e], 10 * 60e6);
  expect(placed).toEqual({ now: [c, b], later: [e, d], over: [a] });
});
