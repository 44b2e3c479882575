import { expect, it } from "vitest";
import { takesKey } from "./controls";

const takes = (type: string, keys: readonly string[]) => keys.filter((key) => takesKey({ tag: "INPUT", type }, key));
const KEYS = ["j", "x", "g", "?", "Enter", " ", "ArrowDown", "Home"];

it("leaves the shortcuts to a box and to the thumb of the time bar, but for the keys that move them", () => {
  expect(takes("checkbox", KEYS)).toEqual([" "]);
  expect(takes("radio", KEYS)).toEqual([" ", "ArrowDown"]);
  expect(takes("range", KEYS)).toEqual(["ArrowDown", "Home"]);
});

it("takes every key where something is written or chosen by its letter", () => {
  for (const type of ["text", "search", "number", "datetime-local", "password", ""]) expect(takes(type, KEYS)).toEqual(KEYS);
  for (const tag of ["TEXTAREA", "SELECT"]) expect(KEYS.every((key) => takesKey({ tag, type: "" }, key))).toBe(true);
});

it("leaves to a button what presses it", () => {
  for (const tag of ["BUTTON", "A", "SUMMARY"]) expect(KEYS.filter((key) => takesKey({ tag, type: "submit" }, key))).toEqual(["Enter", " "]);
  expect(KEYS.some((key) => takesKey({ tag: "DIV", type: "" }, key))).toBe(false);
});
