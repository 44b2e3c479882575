import { expect, test } from "vitest";
import { aboutText, durationText, secondsOf } from "./duration";

test.each([
  ["PT0S", "0 s"],
  ["PT1H30M", "1 h 30 min"],
  ["P1DT0.5S", "1 d 0.5 s"],
  ["PT5400S", "1 h 30 min"],
  ["PT60S", "1 min"],
  ["P2W", "2 wk"],
])("%s is %s", (text, words) => {
  expect(durationText(text)).toBe(words);
});

test("a text that is not a duration is shown as it is", () => {
  expect(durationText("soon")).toBe("soon");
  expect(durationText("PT")).toBe("PT");
});

test("seconds of a duration, and a length of time to its greatest unit", () => {
  expect(["PT1H30M", "P1DT1S", "PT0.5S", "soon"].map(secondsOf)).toEqual([5_400, 86_401, 0.5, null]);
  expect([0.4, 59, 61, 7_200, 200_000].map(aboutText)).toEqual(["0 s", "59 s", "1 min", "2 h", "2 d"]);
});
