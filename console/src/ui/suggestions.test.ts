import { expect, test } from "vitest";
import { completed, suggestionsFor, wordAt } from "./suggestions";

test("in an expression the name before the caret is completed, elsewhere the whole text", () => {
  expect([wordAt("supply > 3 && ret", 17, true), wordAt("supply > 3", 3, true), wordAt("a > 3.0", 7, true), wordAt("ret", 1, false)]).toEqual(["ret", "sup", "", "ret"]);
  expect(completed("supply > 3 && ret < 2", 17, true, "return_temperature")).toEqual({ value: "supply > 3 && return_temperature < 2", caret: 32 });
  expect(completed("ret", 1, false, "return")).toEqual({ value: "return", caret: 6 });
});

test("suggestions contain the word, those that begin with it first; what is complete is none", () => {
  const all = ["return_temperature", "temperature", "Temp", "flow"].map((text) => ({ text }));
  expect(suggestionsFor("temp", all).map(({ text }) => text)).toEqual(["temperature", "Temp", "return_temperature"]);
  expect(suggestionsFor("flow", all)).toEqual([]);
  expect(suggestionsFor("", all).length).toBe(4);
});
