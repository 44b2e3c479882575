import { useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { Combobox } from "../ui/Combobox";
import { useDebounced } from "../ui/useDebounced";
import { conditionText } from "./condition";

const SEARCH = graphql(`
  query RulePicker($text: String!) {
    rules(filter: { search: $text }, first: 12) {
      nodes {
        id
        name
        condition
        severity
      }
    }
  }
`);

export type RuleChoice = { id: string; name: string };

/** A field in which a rule is searched for by its name, by the server, and chosen. */
export function RulePicker({ label, value, onChoose }: { label: string; value: RuleChoice | null; onChoose: (rule: RuleChoice | null) => void }) {
  const [text, setText] = useState("");
  const searched = useDebounced(text.trim(), 150);
  const answer = useApi(SEARCH, { text: searched }, { enabled: searched.length > 0, keep: true });
  const rules = searched.length > 0 ? (answer.data?.rules.nodes ?? []) : [];
  return (
    <Combobox
      label={label}
      placeholder="Name of a rule"
      chosen={value === null ? null : { name: value.name, note: "" }}
      text={text}
      onText={setText}
      hits={rules.map((rule) => ({ id: rule.id, name: rule.name, note: rule.severity.toLowerCase(), path: [conditionText(rule.condition)] }))}
      isAnswered={searched.length > 0 && answer.data !== undefined}
      onChoose={(hit) => onChoose(hit === null ? null : { id: hit.id, name: hit.name })}
    />
  );
}
