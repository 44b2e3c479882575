const format = new Intl.NumberFormat("en", { maximumSignificantDigits: 6, useGrouping: false });

/** Return a measured value with at most six significant digits, as all of the console shows it. */
export function numberText(value: number): string {
  return format.format(value);
}
