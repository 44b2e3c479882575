import { useId } from "react";
import { graphql } from "../../api/gen";
import { useApi } from "../../api/hooks";
import type { Fault } from "../../api/request";
import { SEVERITIES, type Severity } from "../../ui/Tags";
import { DurationField } from "./DurationField";
import { nextKey, type RuleDraft, type StepDraft } from "./draft";
import { faultsAt, faultsBelow } from "./faultPaths";
import { PlaceFaults } from "./PlaceFaults";

const TEMPLATES = graphql(`
  query RuleTemplates {
    activityTemplates(first: 200) {
      nodes {
        id
        name
        deletedAt
      }
    }
  }
`);

const STEPS_MAX = 10;

type Props = { draft: RuleDraft; onChange: (part: Partial<RuleDraft>) => void; faults: readonly Fault[] };

/** What an alarm of the rule is: its severity and how that rises, what follows from it, and how flapping is damped. */
export function OutcomeEditor({ draft, onChange, faults }: Props) {
  const rising = SEVERITIES.filter((severity) => severity !== "LOW");
  const last = draft.escalation.at(-1)?.severity ?? draft.severity;
  const canRise = last !== "CRITICAL" && draft.escalation.length < STEPS_MAX;
  const set = (key: number, part: Partial<StepDraft>) =>
    onChange({ escalation: draft.escalation.map((step) => (step.key === key ? { ...step, ...part } : step)) });
  return (
    <div className="stack tight">
      <div className="bar">
        <label>
          Opens an alarm of severity
          <select value={draft.severity} onChange={(event) => onChange({ severity: event.target.value as Severity })}>
            {SEVERITIES.map((severity) => (
              <option key={severity} value={severity}>
                {severity.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
      </div>
      {draft.escalation.map((step, place) => (
        <fieldset key={step.key} className="plain-set bar">
          <legend className="visually-hidden">Step {place + 1} of the escalation</legend>
          <DurationField label="While it is open, after" value={step.after} onChange={(after) => set(step.key, { after })} faults={faultsAt(faults, ["escalation", place, "after"])} />
          <label>
            it becomes
            <select value={step.severity} onChange={(event) => set(step.key, { severity: event.target.value as Severity })}>
              {rising.map((severity) => (
                <option key={severity} value={severity}>
                  {severity.toLowerCase()}
                </option>
              ))}
            </select>
          </label>
          <button type="button" className="button quiet" aria-label={`Remove step ${place + 1}`} onClick={() => onChange({ escalation: draft.escalation.filter((other) => other.key !== step.key) })}>
            Remove
          </button>
          <PlaceFaults faults={faultsBelow(faults, ["escalation", place], [["after"]])} />
        </fieldset>
      ))}
      <PlaceFaults faults={[...faultsAt(faults, ["severity"]), ...faultsAt(faults, ["escalation"])]} />
      {canRise && (
        <div className="bar">
          <button
            type="button"
            className="button"
            onClick={() => onChange({ escalation: [...draft.escalation, { key: nextKey(), after: { count: "1", unit: "H" }, severity: SEVERITIES[SEVERITIES.indexOf(last) - 1] ?? "CRITICAL" }] })}
          >
            Escalate …
          </button>
        </div>
      )}
      <Actions draft={draft} onChange={onChange} faults={faults} />
      <details>
        <summary>Damping of flapping</summary>
        <div className="bar">
          <label>
            At most
            <input
              className="number-field"
              type="text"
              inputMode="numeric"
              value={draft.maxEvents}
              aria-invalid={faultsAt(faults, ["damping", "maxEvents"]).length > 0 || undefined}
              onChange={(event) => onChange({ maxEvents: event.target.value })}
            />
          </label>
          <DurationField label="alarms of an entity within" value={draft.per} onChange={(per) => onChange({ per })} faults={faultsAt(faults, ["damping", "per"])} />
        </div>
        <p className="muted small">Further ones are merged into the last.</p>
      </details>
      <PlaceFaults faults={faultsBelow(faults, ["damping"], [["per"]])} />
    </div>
  );
}

function Actions({ draft, onChange, faults }: Props) {
  const id = useId();
  const templates = useApi(TEMPLATES, {}, { staleMs: 60_000 });
  const usable = (templates.data?.activityTemplates.nodes ?? []).filter((template) => !template.deletedAt);
  const isUnlisted = draft.templateId !== "" && !usable.some((template) => template.id === draft.templateId);
  const ofWebhook = faultsAt(faults, ["action", "webhookUrl"]);
  return (
    <>
      <div className="bar">
        <label>
          Then create a work order from
          <select value={draft.templateId} onChange={(event) => onChange({ templateId: event.target.value })}>
            <option value="">no template: create none</option>
            {isUnlisted && <option value={draft.templateId}>a template that is not listed here</option>}
            {usable.map((template) => (
              <option key={template.id} value={template.id}>
                {template.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          and call (webhook, optional)
          <input
            type="text"
            inputMode="url"
            placeholder="https://…"
            value={draft.webhookUrl}
            aria-invalid={ofWebhook.length > 0 || undefined}
            aria-describedby={ofWebhook.length > 0 ? `${id}-webhook` : undefined}
            onChange={(event) => onChange({ webhookUrl: event.target.value })}
          />
        </label>
      </div>
      <PlaceFaults faults={ofWebhook} id={`${id}-webhook`} />
      <PlaceFaults faults={faultsBelow(faults, ["action"], [["webhookUrl"]])} />
    </>
  );
}
