import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { useLive } from "../api/live";
import { EntityLink } from "../entities/EntityLink";
import { isPast } from "../time/moment";
import { microsOf } from "../time/instant";
import { useMoment } from "../time/useMoment";
import { dateTime, useZone } from "../time/zone";
import { numberText } from "../ui/numbers";
import { Dialog } from "../ui/Dialog";
import { useKeys } from "../ui/keys";
import { Failed, NowNote, Part } from "../ui/States";
import { SeverityTag } from "../ui/Tags";
import { Age, Instant } from "../ui/Time";
import { AlarmChart } from "./AlarmChart";
import { type ActionKind, type Alarm, isOffered } from "./alarm";
import { conditionText } from "../rules/condition";
import { CorrectionReason } from "./CorrectionReason";
import { type AlarmDetail, DETAIL } from "./detail";
import { StateTag } from "./tags";
import { lastCorrection, type Step, stepsOf } from "./timeline";
import { useActions } from "./useActions";

const DETAIL_CHANGED = graphql(`
  subscription AlarmDetailChanged($filter: EventFilter!) {
    events(filter: $filter) {
      id
    }
  }
`);

/**
 * All about one alarm, at the edge of the list.
 *
 * Two requests: the alarm, and the series around it; one more where it was corrected, and one for earlier episodes.
 * onAction: null where nothing is to be done.
 */
export function AlarmSheet({ id, onClose, onAction }: { id: string; onClose: () => void; onAction: ((kind: ActionKind, alarm: Alarm) => void) | null }) {
  const { moment } = useMoment();
  const detail = useApi(DETAIL, { id });
  const alarm = detail.data?.node?.__typename === "Event" ? detail.data.node : null;
  const entityId = alarm?.entity.id;
  useLive(DETAIL_CHANGED, isPast(moment) || entityId === undefined ? null : { filter: { entityIds: [entityId] } }, ({ events }) => {
    if (events.id === id) void detail.refetch();
  });
  return (
    <Dialog title={alarm?.rule?.name ?? "Alarm"} shape="sheet" onClose={onClose}>
      <Part of={detail} what="the alarm">
        {() => (alarm === null ? <p>This alarm no longer exists.</p> : <Detail alarm={alarm} onAction={onAction} />)}
      </Part>
      <Failed faults={detail.faults} />
    </Dialog>
  );
}

function Detail({ alarm, onAction }: { alarm: AlarmDetail; onAction: ((kind: ActionKind, alarm: Alarm) => void) | null }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const actions = useActions();
  const offered = onAction === null ? [] : actions.filter(([kind]) => isOffered(kind, alarm));
  useKeys(Object.fromEntries(offered.map(([kind, key, label]) => [key, { label, run: () => onAction?.(kind, alarm) }])), { isOfDialog: true });
  return (
    <>
      <div className="bar">
        <SeverityTag severity={alarm.severity} />
        <StateTag alarm={alarm} />
        <NowNote past={past} />
        {!alarm.clearedAt && (
          <span className="muted">
            open for <Age at={alarm.openedAt} />
          </span>
        )}
      </div>
      <dl className="facts">
        <dt>At</dt>
        <dd>
          <EntityLink entity={alarm.entity} /> <span className="muted">{alarm.entity.type ?? alarm.entity.kind.toLowerCase()}</span>
          {alarm.port && <span className="muted"> port {alarm.port}</span>}
        </dd>
        {alarm.rule && (
          <>
            <dt>When</dt>
            <dd>
              {conditionText(alarm.rule.condition)} <RuleLink rule={alarm.rule} />
              {alarm.rule.deletedAt ? <span className="muted"> (the rule was deleted)</span> : !alarm.rule.isActive && <span className="muted"> (the rule is not active)</span>}
            </dd>
          </>
        )}
        {alarm.value != null && (
          <>
            <dt>Value</dt>
            <dd className="number">{numberText(alarm.value)} when it opened</dd>
          </>
        )}
      </dl>
      {offered.length > 0 && (
        <div className="bar">
          {offered.map(([kind, key, label]) => (
            <button key={kind} type="button" className={kind === "acknowledge" ? "button primary" : "button"} title={`${label} ( ${key} )`} onClick={() => onAction?.(kind, alarm)}>
              {label}
            </button>
          ))}
        </div>
      )}
      <AlarmChart alarm={alarm} />
      <Timeline alarm={alarm} />
      <Work alarm={alarm} />
    </>
  );
}

function RuleLink({ rule }: { rule: { id: string; name: string } }) {
  return (
    <Link to="/rules/$id" params={{ id: rule.id }} className="small">
      Rule “{rule.name}”
    </Link>
  );
}

function Timeline({ alarm }: { alarm: AlarmDetail }) {
  const zone = useZone();
  const steps = stepsOf(alarm, (at) => dateTime(microsOf(at), zone));
  const corrected = lastCorrection(alarm);
  const last = steps.findLast((step) => step.correction !== undefined || step.what === "Withdrawn");
  return (
    <section className="stack tight">
      <h3>Timeline</h3>
      <ol className="alarm-timeline">
        {steps.map((step, index) => (
          <li key={`${step.at} ${step.what} ${index}`} className={step.time}>
            {/* The reason of a withdrawal says what its detail says, and why. */}
            <StepText step={step === last && step.what === "Withdrawn" ? { ...step, detail: null } : step} />
            {step === last && corrected !== null && <CorrectionReason alarm={alarm} at={corrected} isWithdrawn={step.what === "Withdrawn"} />}
          </li>
        ))}
      </ol>
      <p className="muted small">Round: in the data, by event time. Square: learned or done, by system time. {zone}.</p>
    </section>
  );
}

function StepText({ step }: { step: Step }) {
  return (
    <>
      <div>
        <b>{step.what}</b> <span className="when"><Instant at={step.at} /></span>
      </div>
      {step.detail !== null && <div>{step.detail}</div>}
    </>
  );
}

function Work({ alarm }: { alarm: AlarmDetail }) {
  const [isAll, setAll] = useState(false);
  const shown = isAll ? alarm.activities : alarm.activities.slice(0, 5);
  return (
    <section className="stack tight">
      <h3>Work</h3>
      {shown.length === 0 && <p className="muted">There is no work order for it.</p>}
      <ul className="plain">
        {shown.map((activity) => (
          <li key={activity.id}>
            <EntityLink entity={activity} /> <span className="tag">{activity.state.toLowerCase().replace("_", " ")}</span>
            {activity.dueAt && (
              <span className="muted">
                {" "}
                due <Instant at={activity.dueAt} />
              </span>
            )}
          </li>
        ))}
      </ul>
      {shown.length < alarm.activities.length && (
        <button type="button" className="button" onClick={() => setAll(true)}>
          All {alarm.activities.length}
        </button>
      )}
    </section>
  );
}
