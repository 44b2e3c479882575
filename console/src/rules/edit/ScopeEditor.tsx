import { useId } from "react";
import { graphql } from "../../api/gen";
import type { EntityKind } from "../../api/gen/graphql";
import { useApi } from "../../api/hooks";
import type { Fault } from "../../api/request";
import { type Choice, Picker } from "../../ui/Picker";
import { Failed } from "../../ui/States";
import { Suggest } from "../../ui/Suggest";
import type { ScopeDraft, ScopeKind } from "./draft";
import { faultsAt, faultsBelow } from "./faultPaths";
import { PlaceFaults } from "./PlaceFaults";

const TYPES = graphql(`
  query RuleScopeTypes($kind: EntityKind!) {
    facets(filter: { kinds: [$kind] }, by: [TYPE], first: 200) {
      values {
        value
        count
      }
    }
  }
`);

const CHOICES = graphql(`
  query RuleScopeChoices {
    groups(first: 200) {
      totalCount
      nodes {
        id
        name
        kind
      }
    }
    assetProfiles(first: 200) {
      totalCount
      nodes {
        id
        name
      }
    }
  }
`);

const KINDS: readonly [ScopeKind, string][] = [
  ["all", "everything there is"],
  ["type", "all of a type"],
  ["under", "everything under …"],
  ["group", "the members of a group"],
  ["profile", "the assets of a profile"],
  ["entity", "one entity"],
];
const MEASURED: EntityKind[] = ["DEVICE", "ASSET", "SPACE"];

type Props = {
  scope: ScopeDraft;
  onChange: (scope: ScopeDraft) => void;
  /** The name and the kind of the entity that is chosen, as far as they are known. */
  chosen: Choice | null;
  onChosen: (choice: Choice | null) => void;
  count: number | null;
  faults: readonly Fault[];
};

/** What a rule is about, with how many entities that is now. */
export function ScopeEditor({ scope, onChange, chosen, onChosen, count, faults }: Props) {
  const id = useId();
  const set = (part: Partial<ScopeDraft>) => onChange({ ...scope, ...part });
  const choose = (choice: Choice | null) => {
    onChosen(choice);
    set({ id: choice?.id ?? "" });
  };
  const field = { type: "type", under: "underId", group: "groupId", profile: "profileId", entity: "entityId", all: "" }[scope.by];
  return (
    <fieldset className="plain-set stack tight">
      <legend className="visually-hidden">What the rule is about</legend>
      <div className="bar">
        <label>
          Entities
          <select
            value={scope.by}
            onChange={(event) => {
              onChosen(null);
              set({ by: event.target.value as ScopeKind, id: "" });
            }}
          >
            {KINDS.map(([by, words]) => (
              <option key={by} value={by}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {scope.by === "type" && <TypeFields scope={scope} onChange={set} isInvalid={faultsAt(faults, ["scope", "type"]).length > 0} faultId={`${id}-fault`} />}
        {(scope.by === "group" || scope.by === "profile") && <ListField by={scope.by} value={scope.id} onChange={(value) => set({ id: value })} />}
        <span className="muted" role="status">
          {count === null ? "" : count === 1 ? "1 entity now" : `${count.toLocaleString("en")} entities now`}
        </span>
      </div>
      {scope.by === "under" && <Picker label="Everything under" kinds={["SPACE", "ASSET", "DEVICE"]} value={chosen} onChoose={choose} />}
      {scope.by === "entity" && <Picker label="Entity" kinds={MEASURED} value={chosen} onChoose={choose} />}
      <PlaceFaults faults={field === "" ? [] : faultsAt(faults, ["scope", field])} id={`${id}-fault`} />
      <PlaceFaults faults={faultsBelow(faults, ["scope"], field === "" ? [] : [[field]])} />
      {count === 0 && <p className="notice">Nothing is in this scope now. The rule counts for whatever comes into it.</p>}
    </fieldset>
  );
}

function TypeFields({ scope, onChange, isInvalid, faultId }: { scope: ScopeDraft; onChange: (part: Partial<ScopeDraft>) => void; isInvalid: boolean; faultId: string }) {
  const { data } = useApi(TYPES, { kind: scope.entityKind }, { keep: () => true, staleMs: 60_000 });
  const types = (data?.facets ?? []).flatMap((facet) => facet.values).flatMap(({ value, count }) => (value ? [{ text: value, note: count.toLocaleString("en") }] : []));
  return (
    <>
      <label>
        Kind
        <select value={scope.entityKind} onChange={(event) => onChange({ entityKind: event.target.value as EntityKind })}>
          <option value="ASSET">assets</option>
          <option value="DEVICE">devices</option>
          <option value="SPACE">spaces</option>
        </select>
      </label>
      <Suggest label="Type" value={scope.type} onChange={(type) => onChange({ type })} suggestions={types} placeholder="e.g. Boiler" isInvalid={isInvalid} faultId={faultId} />
    </>
  );
}

function ListField({ by, value, onChange }: { by: "group" | "profile"; value: string; onChange: (id: string) => void }) {
  const answer = useApi(CHOICES, {}, { staleMs: 60_000 });
  // A rule is about the members of a static group: who fitted the filter of another in the past is not known.
  const groups = (answer.data?.groups.nodes ?? []).filter((group) => group.kind === "STATIC");
  const choices = by === "group" ? groups : (answer.data?.assetProfiles.nodes ?? []);
  const list = by === "group" ? answer.data?.groups : answer.data?.assetProfiles;
  const left = (list?.totalCount ?? 0) - (list?.nodes.length ?? 0);
  return (
    <>
      <label>
        {by === "group" ? "Group" : "Profile"}
        <select value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{answer.data !== undefined && choices.length === 0 ? (by === "group" ? "There is no static group" : "There is no profile") : "Choose one"}</option>
          {value !== "" && !choices.some((choice) => choice.id === value) && <option value={value}>One that is not listed here</option>}
          {choices.map((choice) => (
            <option key={choice.id} value={choice.id}>
              {choice.name}
            </option>
          ))}
          {left > 0 && <option disabled>{left.toLocaleString("en")} more are not listed</option>}
        </select>
      </label>
      <Failed faults={answer.error?.faults ?? answer.faults} />
    </>
  );
}
