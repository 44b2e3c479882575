import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { graphql } from "../../api/gen";
import type { EditedRuleQuery, EntityKind, RuleInput } from "../../api/gen/graphql";
import { useApi, useChange } from "../../api/hooks";
import { RefusalNote, useRefusal } from "../../session/ActionButton";
import { now } from "../../time/instant";
import type { Search } from "../../time/moment";
import { PageName } from "../../ui/PageName";
import type { Choice } from "../../ui/Picker";
import { Loading, PageMissing, PageWaiting } from "../../ui/States";
import { toast } from "../../ui/Toasts";
import { scopedId, scopeOf } from "../content";
import { CREATE_RULE, UPDATE_RULE } from "../mutations";
import { useNames } from "../useNames";
import { versionAt } from "../versions";
import { draftBegin, draftOf, inputOf } from "./draft";
import { RuleForm } from "./RuleForm";

const RULE = graphql(`
  query EditedRule($id: ID!) {
    node(id: $id) {
      __typename
      ... on Rule {
        id
        name
        profileId
        deletedAt
        versions {
          effectiveFrom
          recordedAt
          condition
          scope
          severity
          action
          escalation
          damping
          isActive
        }
      }
    }
  }
`);

type Rule = Extract<NonNullable<EditedRuleQuery["node"]>, { __typename: "Rule" }>;

/** A new rule, from nothing or as a copy of another. */
export function NewRulePage() {
  const { copy } = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const create = useChange(CREATE_RULE, (data) => data.createRule);
  const refusal = useRefusal("createRule");
  const save = async (input: RuleInput, reason: string | null) => {
    const { rule } = await create.run({ input, reason });
    toast(`${input.name} was created. It evaluates what is measured ${input.effectiveFrom ? "from its start on" : "from now on"}.`);
    if (rule) void navigate({ to: "/rules/$id", params: { id: rule.id } });
  };
  const form = { submit: "Create the rule", isBusy: create.isRunning, faults: create.faults, onSave: save };
  return (
    <div className="stack">
      <PageName name={copy === undefined ? "New rule" : "Copy of a rule"} />
      {refusal !== null ? (
        <p>
          <RefusalNote mutation="createRule" what="Create a rule" />
        </p>
      ) : copy === undefined ? (
        <RuleForm start={draftBegin()} scoped={null} inForce={null} {...form} />
      ) : (
        <Loaded id={copy}>{(rule, scoped) => <RuleForm start={{ ...draftOf(rule.name, contentOf(rule)), name: `Copy of ${rule.name}`.slice(0, 200) }} scoped={scoped} inForce={null} {...form} />}</Loaded>
      )}
    </div>
  );
}

/** Another version of a rule, from now on or from any other instant. */
export function EditRulePage() {
  const { id } = useParams({ from: "/rules/$id/edit" });
  const navigate = useNavigate();
  const update = useChange(UPDATE_RULE, (data) => data.updateRule);
  const refusal = useRefusal("updateRule");
  const save = async (input: RuleInput, reason: string | null) => {
    await update.run({ id, input, reason });
    toast(`${input.name} was changed.${input.effectiveFrom ? " Alarms since then are computed again." : ""}`);
    void navigate({ to: "/rules/$id", params: { id } });
  };
  return (
    <Loaded id={id}>
      {(rule, scoped) => (
        <div className="stack">
          <PageName name={`Edit ${rule.name}`} />
          {refusal !== null || rule.deletedAt || rule.profileId ? (
            <p className="notice">
              {rule.deletedAt ? "It was deleted. It can be copied." : rule.profileId ? "An asset profile defines this rule: it is changed there." : <RefusalNote mutation="updateRule" what="Edit a rule" />}
            </p>
          ) : (
            <RuleForm
              start={draftOf(rule.name, contentOf(rule))}
              scoped={scoped}
              inForce={inputOf(draftOf(rule.name, contentOf(rule))).input}
              submit="Save the new version"
              isBusy={update.isRunning}
              faults={update.faults}
              onSave={save}
            />
          )}
        </div>
      )}
    </Loaded>
  );
}

/** Return the version in force now; of a rule that counts only later, its first. */
function contentOf(rule: Rule) {
  const versions = rule.versions ?? [];
  const version = versionAt(versions, now(), null) ?? versions[0];
  if (version === undefined) throw new Error(`The rule ${rule.id} has no version.`);
  return version;
}

/** A rule, once it and the name of what it is about are there. Two requests. */
function Loaded({ id, children }: { id: string; children: (rule: Rule, scoped: Choice | null) => ReactNode }) {
  const answer = useApi(RULE, { id }, { staleMs: 0 });
  // The form begins with the rule as it is now, not with an answer that was remembered before it was changed.
  const [isFresh, setFresh] = useState(false);
  const isAnswered = answer.data !== undefined && !answer.isFetching;
  useEffect(() => {
    if (isAnswered) setFresh(true);
  }, [isAnswered]);
  const rule = answer.data?.node?.__typename === "Rule" ? answer.data.node : null;
  const scope = rule === null ? {} : scopeOf(contentOf(rule));
  const scoped = scope.entityId || scope.underId ? scopedId(scope) : null;
  const { names, kinds } = useNames(scoped === null ? [] : [scoped]);
  if (answer.data === undefined) return <PageWaiting of={answer} what="rule" />;
  if (rule === null) return <PageMissing what="rule" faults={answer.faults} />;
  if (!isFresh || (scoped !== null && !names.has(scoped))) return <Loading what="the rule" />;
  const choice = scoped === null ? null : { id: scoped, name: names.get(scoped) ?? "", kind: (kinds.get(scoped) ?? "ASSET") as EntityKind };
  return children(rule, choice);
}
