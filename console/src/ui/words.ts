/** Return an English noun of one or several words in the plural, e.g. "device tokens", "entities", "shelves". */
export function pluralOf(noun: string): string {
  if (noun.endsWith("shelf")) return `${noun.slice(0, -1)}ves`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
}
