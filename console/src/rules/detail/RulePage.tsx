import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { EventFilter } from "../../api/gen/graphql";
import { useChange } from "../../api/hooks";
import { AlarmList } from "../../alarms/AlarmList";
import { ActionButton, useRefusal } from "../../session/ActionButton";
import { ActionLink } from "../../session/ActionLink";
import { microsOf, now } from "../../time/instant";
import { isPast, type Search } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { useKeys } from "../../ui/keys";
import { PageName } from "../../ui/PageName";
import { Empty, Failed, NowNote, PageMissing, PageWaiting } from "../../ui/States";
import { Tabs, useTab } from "../../ui/Tabs";
import { SeverityTag } from "../../ui/Tags";
import { Instant } from "../../ui/Time";
import { toast, undoBy } from "../../ui/Toasts";
import { namedIds } from "../content";
import { inputOfVersion } from "../input";
import { UPDATE_RULE } from "../mutations";
import { RuleSentence } from "../RuleSentence";
import { StateTag } from "../StateTag";
import { ShelveDialog } from "../shelving/ShelveDialog";
import { useNames } from "../useNames";
import { versionAt } from "../versions";
import { DeleteRuleDialog } from "./DeleteRuleDialog";
import { RuleShelves } from "./RuleShelves";
import { type Rule, useRule } from "./useRule";
import { VersionsTable } from "./VersionsTable";
import "../../entities/entities.css";
import "../rules.css";

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "alarms", label: "Alarms" },
  { id: "versions", label: "Versions" },
] as const;
const ALL_STATES: EventFilter["states"] = ["OPEN", "ACKNOWLEDGED", "CLEARED", "DISMISSED", "WITHDRAWN"];

/** A rule: what it says at the moment that is shown, its alarms, its versions and what shelves it. */
export function RulePage() {
  const { id } = useParams({ from: "/rules/$id" });
  const { answer, rule, reasons } = useRule(id);
  if (answer.data === undefined) return <PageWaiting of={answer} what="rule" />;
  if (rule === null) return <PageMissing what="rule" faults={answer.faults} />;
  return (
    <>
      <Failed faults={answer.faults} />
      <Content rule={rule} reasons={reasons} />
    </>
  );
}

function Content({ rule, reasons }: { rule: Rule; reasons: ReadonlyMap<string, string> }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const tab = useTab(TABS);
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<"delete" | "shelve" | null>(null);
  const update = useChange(UPDATE_RULE, (data) => data.updateRule);
  const knownAt = moment.mode === "seen" ? moment.at : null;
  const all = rule.versions ?? [];
  const versions = useMemo(() => (knownAt === null ? all : all.filter((version) => microsOf(version.recordedAt) <= knownAt)), [all, knownAt]);
  const asOf = past ? moment.at : now();
  const inForce = versionAt(versions, asOf, null);
  // A rule that counts only from later on says what it will say.
  const shown = inForce ?? (past ? null : (all[0] ?? null));
  const { names, kinds } = useNames(useMemo(() => all.flatMap(namedIds), [all]));
  const wasDeleted = rule.deletedAt && (!past || microsOf(rule.deletedAt) <= moment.at);
  const isFixed = Boolean(rule.deletedAt) || rule.profileId !== null;
  const alarms = useMemo<EventFilter>(() => ({ ruleIds: [rule.id], ...(past ? {} : { states: ALL_STATES }) }), [rule.id, past]);
  const open = useMemo<EventFilter>(() => ({ ruleIds: [rule.id] }), [rule.id]);
  const canEdit = useRefusal("updateRule") === null;
  const edit = () => void navigate({ to: "/rules/$id/edit", params: { id: rule.id } });
  useKeys({ e: { label: "Edit the rule", run: edit } }, { enabled: !past && !isFixed && canEdit });

  const set = async (isActive: boolean) => {
    if (inForce === null) return;
    const before = inForce.isActive;
    const write = (active: boolean, reason: string | null) =>
      update.run({ id: rule.id, input: inputOfVersion(rule.name, { ...inForce, isActive: active }), reason });
    try {
      await write(isActive, null);
    } catch {
      return; // The refusal is shown below the buttons.
    }
    toast(isActive ? `${rule.name}: enabled from now on.` : `${rule.name}: disabled. Its open alarms were cleared.`, undoBy(() => write(before, null)));
  };

  return (
    <div className="stack">
      <header className="page-head">
        <PageName name={rule.name} />
        {shown !== null && <SeverityTag severity={shown.severity} />}
        {shown !== null && <StateTag isActive={shown.isActive} deletedAt={wasDeleted ? (rule.deletedAt ?? null) : null} />}
        {past && <NameNote />}
        <span className="spring" />
        {!isFixed && (
          <>
            <ActionLink mutation="updateRule" past={past} to="/rules/$id/edit" params={{ id: rule.id }} className="button primary">
              Edit…
            </ActionLink>
            {inForce !== null && (
              <ActionButton mutation="updateRule" past={past} disabled={update.isRunning} onClick={() => void set(!inForce.isActive)}>
                {inForce.isActive ? "Disable" : "Enable"}
              </ActionButton>
            )}
          </>
        )}
        <ActionLink mutation="createRule" past={past} to="/rules/new" search={(before: Search) => ({ ...before, tab: undefined, copy: rule.id })}>
          Copy…
        </ActionLink>
        {!rule.deletedAt && (
          <ActionButton mutation="shelveEvents" past={past} onClick={() => setDialog("shelve")}>
            Shelve…
          </ActionButton>
        )}
        {!isFixed && (
          <ActionButton mutation="deleteRule" past={past} className="button danger" onClick={() => setDialog("delete")}>
            Delete…
          </ActionButton>
        )}
      </header>
      <Failed faults={update.faults} />
      {rule.profileId && <p className="notice">An asset profile defines this rule: it is changed there, for all assets of the profile.</p>}
      <Tabs label="Parts of the rule" tabs={TABS} current={tab} />
      {tab === "overview" && (
        <>
          <div className="columns">
            <section className="panel stack tight">
              <h2>What it says</h2>
              {shown === null ? (
                <p className="muted">It did not exist at this moment.</p>
              ) : (
                <>
                  {inForce === null && (
                    <p className="notice">
                      It counts from <Instant at={shown.effectiveFrom} /> on, and evaluates nothing until then.
                    </p>
                  )}
                  <RuleSentence content={shown} names={names} kinds={kinds} entityCount={<EntityCount count={rule.entityCount} past={past} />} />
                </>
              )}
            </section>
            <section className="panel stack tight">
              <h2>How often it fires</h2>
              <dl className="facts">
                <dt>In 24 h</dt>
                <dd className="number">{countText(rule.day)}</dd>
                <dt>In 30 d</dt>
                <dd className="number">{countText(rule.month)}</dd>
                <dt>In force since</dt>
                <dd>{inForce === null ? <span className="muted">not in force</span> : <Instant at={inForce.effectiveFrom} />}</dd>
              </dl>
              <RuleShelves ruleId={rule.id} />
            </section>
          </div>
          <section className="stack tight">
            <h2>{past ? "Alarms open at the moment" : "Open alarms"}</h2>
            <AlarmList filter={open} maxHeight="320px" empty={<p className="muted">{past ? "None was open at this moment." : "No alarm of this rule is open."}</p>} />
          </section>
        </>
      )}
      {tab === "alarms" && (
        <AlarmList
          filter={alarms}
          view={past ? "open" : "any"}
          empty={
            <Empty title="It has opened no alarm">
              <Link className="button" to="/alarms">
                All alarms
              </Link>
            </Empty>
          }
        />
      )}
      {tab === "versions" && <VersionsTable versions={versions} inForce={inForce} reasons={reasons} names={names} />}
      {dialog === "delete" && <DeleteRuleDialog rule={rule} onClose={() => setDialog(null)} />}
      {dialog === "shelve" && <ShelveDialog rule={rule} onClose={() => setDialog(null)} />}
    </div>
  );
}

function NameNote() {
  return (
    <span className="tag past" title="The name of a rule has no versions">
      today's name
    </span>
  );
}

function EntityCount({ count, past }: { count: number | null | undefined; past: boolean }) {
  if (count === null || count === undefined) return null;
  return (
    <>
      {count.toLocaleString("en")} {count === 1 ? "entity" : "entities"} <NowNote past={past} />
    </>
  );
}

function countText(count: number | null | undefined): string {
  if (count === null || count === undefined) return "unknown";
  return count === 1 ? "1 alarm" : `${count.toLocaleString("en")} alarms`;
}
