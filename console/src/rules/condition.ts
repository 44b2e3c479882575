import { durationText } from "../time/duration";

/** A line that a condition draws at a value of a metric. */
export type ConditionLine = { metric: string; value: number; label: string };

type Threshold = {
  metric: string;
  operator: string;
  value: number;
  for?: string | null;
  clearValue?: number | null;
  clearFor?: string | null;
};
type NoData = { metric: string; after: string; everHeard?: boolean };

const OPERATORS: Record<string, { words: string; sign: string; inverse: string }> = {
  GT: { words: "is above", sign: ">", inverse: "falls to" },
  GTE: { words: "is at least", sign: "≥", inverse: "falls below" },
  LT: { words: "is below", sign: "<", inverse: "rises to" },
  LTE: { words: "is at most", sign: "≤", inverse: "rises above" },
  EQ: { words: "is", sign: "=", inverse: "is no longer" },
  NEQ: { words: "is not", sign: "≠", inverse: "is again" },
};
// Words of CEL that are not metrics, and its functions, which are followed by a parenthesis.
const CEL_WORDS = new Set(["true", "false", "null", "in"]);

/** Return a rule's condition in words, e.g. "flow is above 3 for 10 min". `condition` has the form of the input Condition. */
export function conditionText(condition: unknown): string {
  const { threshold, noData, expression, allOf, anyOf } = recordOf(condition);
  if (isRecord(threshold)) return thresholdText(threshold as Threshold);
  if (isRecord(noData)) {
    const { metric, after, everHeard } = noData as NoData;
    return `${metric} does not come for ${durationText(after)}${everHeard === false ? ", or has never come" : ""}`;
  }
  if (typeof expression === "string") return `the expression ${expression} is true`;
  if (Array.isArray(allOf)) return joined(allOf, "and");
  if (Array.isArray(anyOf)) return joined(anyOf, "or");
  return "a condition that this console does not know";
}

/** Return the metrics that a condition reads, in its order, each once. */
export function conditionMetrics(condition: unknown): string[] {
  const { threshold, noData, expression, allOf, anyOf } = recordOf(condition);
  const metrics: string[] = [];
  if (isRecord(threshold)) metrics.push(String(threshold.metric));
  if (isRecord(noData)) metrics.push(String(noData.metric));
  if (typeof expression === "string") metrics.push(...expressionMetrics(expression));
  for (const part of partsOf(allOf, anyOf)) metrics.push(...conditionMetrics(part));
  return [...new Set(metrics)];
}

/** Return the lines that a condition draws: where it begins to hold and, where that differs, where it clears. */
export function conditionLines(condition: unknown): ConditionLine[] {
  const { threshold, allOf, anyOf } = recordOf(condition);
  const lines: ConditionLine[] = [];
  if (isRecord(threshold)) {
    const { metric, operator, value, clearValue } = threshold as Threshold;
    lines.push({ metric, value, label: `${OPERATORS[operator]?.sign ?? operator} ${value}` });
    if (typeof clearValue === "number" && clearValue !== value) lines.push({ metric, value: clearValue, label: `clears at ${clearValue}` });
  }
  for (const part of partsOf(allOf, anyOf)) lines.push(...conditionLines(part));
  return lines;
}

function thresholdText(threshold: Threshold): string {
  const { metric, operator, value, clearValue, clearFor } = threshold;
  const duration = isNothing(threshold.for) ? "" : ` for ${durationText(threshold.for ?? "")}`;
  const words = OPERATORS[operator] ?? { words: operator, inverse: "passes" };
  const clears: string[] = [];
  if (typeof clearValue === "number" && clearValue !== value) clears.push(`${words.inverse} ${clearValue}`);
  if (!isNothing(clearFor)) clears.push(`${clears.length === 0 ? "that has stopped " : ""}for ${durationText(clearFor ?? "")}`);
  return `${metric} ${words.words} ${value}${duration}${clears.length === 0 ? "" : `; clears when it ${clears.join(" ")}`}`.replace(
    "when it that has stopped",
    "when that has stopped",
  );
}

function expressionMetrics(expression: string): string[] {
  const withoutTexts = expression.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '""');
  return [...withoutTexts.matchAll(/(?<![.\w])([A-Za-z_]\w*)(?!\w*\s*\()/g)]
    .map((match) => match[1] ?? "")
    .filter((word) => !CEL_WORDS.has(word));
}

function joined(parts: readonly unknown[], word: "and" | "or"): string {
  const texts = parts.map((part) => {
    const inner = recordOf(part);
    const nested = Array.isArray(inner.allOf) || Array.isArray(inner.anyOf);
    return nested ? `(${conditionText(part)})` : conditionText(part);
  });
  return texts.join(` ${word} `);
}

function isNothing(duration: string | null | undefined): boolean {
  return duration === undefined || duration === null || durationText(duration) === "0 s";
}

function partsOf(...lists: unknown[]): unknown[] {
  return lists.flatMap((list) => (Array.isArray(list) ? list : []));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
