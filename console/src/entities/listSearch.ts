/** Return the values of a parameter of the address; a value's own comma is written as "\,". */
export function valuesOf(text: string | undefined): string[] {
  if (text === undefined || text === "") return [];
  return text.split(/(?<!\\),/).map((value) => value.replace(/\\,/g, ","));
}

/** Return the parameter of these values; undefined for none. */
export function textOfValues(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.map((value) => value.replace(/,/g, "\\,")).join(",");
}
