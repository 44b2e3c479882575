import { expect, it } from "vitest";
import { healthText } from "./healthText";

it("says what costs health in words", () => {
  expect(healthText("10.33 is at or above warnHigh 10")).toBe("10.33 is at or above the high warning limit 10");
  expect(healthText("4 is at or below critLow 5")).toBe("4 is at or below the low critical limit 5");
  expect(healthText("an event of severity HIGH was open")).toBe("an event of high severity was open");
  expect(healthText("the mean of 3 is 80, the worst 60")).toBe("the mean of 3 is 80, the worst 60");
});
