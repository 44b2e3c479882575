// Read from the target back; what an organization added itself is shown by its own inverse where it is at hand.
const INVERSES: Record<string, string> = {
  ASSIGNED_TO: "HAS_ASSIGNMENT",
  CONTAINS: "CONTAINED_IN",
  CONTROLLED_BY: "CONTROLS",
  FEEDS: "FED_BY",
  HAS_PART: "PART_OF",
  LOCATED_IN: "LOCATION_OF",
  MONITORED_BY: "MONITORS",
  TARGETS: "TARGETED_BY",
};

/** Return a relationship in words, as read from its source or from its target: "monitored by", "monitors". */
export function relationshipLabel(name: string, isFromSource: boolean, inverse?: string): string {
  const known = isFromSource ? name : (inverse ?? INVERSES[name]);
  return known === undefined ? `← ${words(name)}` : words(known);
}

function words(name: string): string {
  return name.toLowerCase().replace(/_/g, " ");
}
