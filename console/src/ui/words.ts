/** Return an English noun of one or several words in the plural, e.g. "device tokens", "entities", "shelves". */
export function pluralOf(singular: string): string {
  if (singular.endsWith("shelf")) return `${singular.slice(0, -1)}ves`;
  if (/[^aeiou]y$/.test(singular)) return `${singular.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(singular) ? `${singular}es` : `${singular}s`;
}
