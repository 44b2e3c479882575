const LIMITS: Record<string, string> = {
  critLow: "the low critical limit",
  warnLow: "the low warning limit",
  warnHigh: "the high warning limit",
  critHigh: "the high critical limit",
};

/** Return what the API says of a part of the health, with words for the names of its settings. */
export function healthText(detail: string): string {
  return detail.replace(/\b(critLow|warnLow|warnHigh|critHigh)\b/g, (name) => LIMITS[name] ?? name).replace(/severity ([A-Z]+)\b/, (_, severity: string) => `${severity.toLowerCase()} severity`);
}
