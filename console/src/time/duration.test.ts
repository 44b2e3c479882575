import { expect, test } from "vitest";
import { durationText } from "./duration";

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
