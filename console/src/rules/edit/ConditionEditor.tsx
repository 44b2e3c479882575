import { useId } from "react";
import type { Fault } from "../../api/request";
import { Suggest } from "../../ui/Suggest";
import type { Suggestion } from "../../ui/suggestions";
import { DEPTH_MAX, isGroup, joined, ofKind, without } from "./conditionTree";
import { DurationField } from "./DurationField";
import { type ConditionDraft, conditionBegin, type ExpressionDraft, type GroupDraft, type NoDataDraft, type Operator, type ThresholdDraft } from "./draft";
import { faultsAt, faultsBelow, type Place } from "./faultPaths";
import { PlaceFaults } from "./PlaceFaults";
import { expressionSuggestions } from "./useScopeMetrics";

const OPERATORS: readonly [Operator, string][] = [
  ["GT", "is above"],
  ["GTE", "is at least"],
  ["LT", "is below"],
  ["LTE", "is at most"],
  ["EQ", "is exactly"],
  ["NEQ", "is not"],
];

type Shared = { metrics: readonly Suggestion[]; faults: readonly Fault[] };
type Props<C> = Shared & {
  condition: C;
  onChange: (condition: ConditionDraft) => void;
  /** Where it is in the input, without its own kind. */
  place: Place;
  depth: number;
  /** Whether another condition may be added. */
  canGrow: boolean;
  /** Its number, e.g. "2.1"; empty: it is the only one. */
  number: string;
  onRemove: (() => void) | null;
  /** The group that it is a part of; null: none. */
  parent: GroupDraft["kind"] | null;
};

/** A condition of a rule in fields that read as a sentence; groups of them as a list joined by "and" or "or". */
export function ConditionEditor(props: Props<ConditionDraft>) {
  const { condition } = props;
  return isGroup(condition) ? <Group {...props} condition={condition} /> : <Leaf {...props} condition={condition} />;
}

function Group({ condition, onChange, place, depth, canGrow, number, onRemove, parent: _, ...shared }: Props<GroupDraft>) {
  const word = condition.kind === "allOf" ? "and" : "or";
  const here = [...place, condition.kind];
  const replace = (key: number, next: ConditionDraft) => onChange({ ...condition, parts: condition.parts.map((part) => (part.key === key ? next : part)) });
  const remove = (key: number) => {
    const left = without(condition, key);
    if (left !== null) onChange(left);
  };
  return (
    <fieldset className="plain-set condition stack tight">
      <legend className="visually-hidden">Conditions {number} joined by {word}</legend>
      <div className="bar">
        <label>
          {number === "" ? "Whether" : `Conditions ${number}`}
          <select value={condition.kind} onChange={(event) => onChange({ ...condition, kind: event.target.value as GroupDraft["kind"] })}>
            <option value="allOf">all of these hold</option>
            <option value="anyOf">any of these holds</option>
          </select>
        </label>
        {onRemove !== null && <RemoveButton what={`conditions ${number}`} onRemove={onRemove} />}
      </div>
      <PlaceFaults faults={[...faultsAt(shared.faults, place), ...faultsAt(shared.faults, here)]} />
      {condition.parts.map((part, index) => (
        <div key={part.key} className="stack tight">
          {index > 0 && <span className="condition-word">{word}</span>}
          <ConditionEditor
            {...shared}
            condition={part}
            onChange={(next) => replace(part.key, next)}
            place={[...here, index]}
            depth={depth + 1}
            canGrow={canGrow}
            number={number === "" ? String(index + 1) : `${number}.${index + 1}`}
            onRemove={() => remove(part.key)}
            parent={condition.kind}
          />
        </div>
      ))}
      {canGrow && (
        <div className="bar">
          <button type="button" className="button" onClick={() => onChange({ ...condition, parts: [...condition.parts, conditionBegin("threshold")] })}>
            {word} …
          </button>
        </div>
      )}
    </fieldset>
  );
}

function Leaf(props: Props<ThresholdDraft | NoDataDraft | ExpressionDraft>) {
  const { condition, onChange, place, depth, canGrow, number, onRemove, parent } = props;
  return (
    <fieldset className="plain-set condition stack tight">
      <legend className="visually-hidden">Condition {number}</legend>
      <div className="bar">
        <label>
          {number === "" ? "What to watch" : `Condition ${number}`}
          <select value={condition.kind} onChange={(event) => onChange(ofKind(condition, event.target.value as ConditionDraft["kind"]))}>
            <option value="threshold">a metric passes a value</option>
            <option value="noData">a metric falls silent</option>
            <option value="expression">an expression is true</option>
          </select>
        </label>
        {onRemove !== null && <RemoveButton what={`condition ${number}`} onRemove={onRemove} />}
      </div>
      {condition.kind === "threshold" && <Threshold {...props} condition={condition} />}
      {condition.kind === "noData" && <NoData {...props} condition={condition} />}
      {condition.kind === "expression" && <Expression {...props} condition={condition} />}
      <PlaceFaults faults={faultsAt(props.faults, place)} />
      {canGrow && depth < DEPTH_MAX && (
        <div className="bar">
          {/* Where it is one of several, its group adds those of the same word. */}
          {parent !== "allOf" && (
            <button type="button" className="button" onClick={() => onChange(joined(condition, "allOf"))}>
              and …
            </button>
          )}
          {parent !== "anyOf" && (
            <button type="button" className="button" onClick={() => onChange(joined(condition, "anyOf"))}>
              or …
            </button>
          )}
        </div>
      )}
    </fieldset>
  );
}

function RemoveButton({ what, onRemove }: { what: string; onRemove: () => void }) {
  return (
    <button type="button" className="button quiet" aria-label={`Remove ${what}`} onClick={onRemove}>
      Remove
    </button>
  );
}

type LeafProps<C> = Pick<Props<C>, "condition" | "onChange" | "place" | "metrics" | "faults">;

function Threshold({ condition, onChange, place, metrics, faults }: LeafProps<ThresholdDraft>) {
  const here = [...place, "threshold"];
  const set = (part: Partial<ThresholdDraft>) => onChange({ ...condition, ...part });
  const clearsAnywhere = condition.operator === "EQ" || condition.operator === "NEQ";
  return (
    <>
      <div className="bar">
        <MetricField metric={condition.metric} onChange={(metric) => set({ metric })} place={here} metrics={metrics} faults={faults} />
        <label>
          Comparison
          <select value={condition.operator} onChange={(event) => set({ operator: event.target.value as Operator })}>
            {OPERATORS.map(([operator, words]) => (
              <option key={operator} value={operator}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <NumberField label="Value" value={condition.value} onChange={(value) => set({ value })} faults={faultsAt(faults, [...here, "value"])} />
      </div>
      <div className="bar">
        <DurationField label="For" value={condition.for} onChange={(value) => set({ for: value })} faults={faultsAt(faults, [...here, "for"])} placeholder="at once" />
        {!clearsAnywhere && (
          <NumberField
            label="Clears at"
            value={condition.clearValue}
            placeholder={condition.value === "" ? "the value" : condition.value}
            onChange={(clearValue) => set({ clearValue })}
            faults={faultsAt(faults, [...here, "clearValue"])}
          />
        )}
        <DurationField label="Clears after" value={condition.clearFor} onChange={(clearFor) => set({ clearFor })} faults={faultsAt(faults, [...here, "clearFor"])} placeholder="at once" />
      </div>
      <PlaceFaults faults={faultsBelow(faults, here, [["metric"], ["value"], ["for"], ["clearValue"], ["clearFor"]])} />
    </>
  );
}

function NoData({ condition, onChange, place, metrics, faults }: LeafProps<NoDataDraft>) {
  const here = [...place, "noData"];
  return (
    <>
      <div className="bar">
        <MetricField metric={condition.metric} onChange={(metric) => onChange({ ...condition, metric })} place={here} metrics={metrics} faults={faults} />
        <DurationField label="Does not come for" value={condition.after} onChange={(after) => onChange({ ...condition, after })} faults={faultsAt(faults, [...here, "after"])} />
      </div>
      <label className="inline">
        <input type="checkbox" checked={!condition.everHeard} onChange={(event) => onChange({ ...condition, everHeard: !event.target.checked })} /> or has never come at all
      </label>
      <PlaceFaults faults={faultsBelow(faults, here, [["metric"], ["after"]])} />
    </>
  );
}

function Expression({ condition, onChange, place, metrics, faults }: LeafProps<ExpressionDraft>) {
  const id = useId();
  const here = faultsBelow(faults, [...place, "expression"], []);
  return (
    <>
      <Suggest
        label="Expression in CEL, over metrics"
        value={condition.expression}
        onChange={(expression) => onChange({ ...condition, expression })}
        suggestions={expressionSuggestions(metrics)}
        isExpression
        placeholder="supply_temperature - return_temperature > 20.0 && pump_running"
        isInvalid={here.length > 0}
        faultId={`${id}-fault`}
      />
      <PlaceFaults faults={here} id={`${id}-fault`} />
      <p className="muted small">
        A value counts for 15 minutes. Compare with <code>&gt; &gt;= &lt; &lt;= == !=</code>, join with <code>&amp;&amp; ||</code>. Attributes are read by a derived metric, and not here.
      </p>
    </>
  );
}

function MetricField({ metric, onChange, place, metrics, faults }: Shared & { metric: string; onChange: (metric: string) => void; place: Place }) {
  const id = useId();
  const here = faultsAt(faults, [...place, "metric"]);
  return (
    <div className="suggest">
      <Suggest label="Metric" value={metric} onChange={onChange} suggestions={metrics} placeholder="e.g. supply_temperature" isInvalid={here.length > 0} faultId={`${id}-fault`} />
      <PlaceFaults faults={here} id={`${id}-fault`} />
    </div>
  );
}

type NumberProps = { label: string; value: string; placeholder?: string; onChange: (value: string) => void; faults: readonly Fault[] };

function NumberField({ label, value, placeholder, onChange, faults }: NumberProps) {
  const id = useId();
  return (
    <div className="stack tight">
      <label htmlFor={id}>
        {label}
        <input
          id={id}
          className="number-field"
          type="text"
          inputMode="decimal"
          value={value}
          placeholder={placeholder}
          aria-invalid={faults.length > 0 || undefined}
          aria-describedby={faults.length > 0 ? `${id}-fault` : undefined}
          onChange={(event) => onChange(event.target.value)}
        />
      </label>
      <PlaceFaults faults={faults} id={`${id}-fault`} />
    </div>
  );
}
