/** Return a measured value with at most six significant digits, as all of the console shows it. */
export function numberText(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 6, useGrouping: false });
}
