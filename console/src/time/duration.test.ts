import { expect, test } from "vitest";
import { durationMs, durationText } from "./duration";

test.each([
  ["PT0S", "0 s", 0],
  ["PT1H30M", "1 h 30 min", 5_400_000],
  ["P1DT0.5S", "1 d 0.5 s", 86_400_500],
  ["PT5400S", "1 h 30 min", 5_400_000],
  ["PT60S", "1 min", 60_000],
  ["P2W", "2 wk", 1_209_600_000],
])("%s is %s", (text, words, ms) => {
  expect(durationText(text)).toBe(words);
  expect(durationMs(text)).toBe(ms);
});

test("a text that is not a duration is shown as it is", () => {
  expect(durationText("soon")).toBe("soon");
  expect(durationMs("PT")).toBeNull();
});
