import { useState } from "react";
import { useApi } from "../api/hooks";
import { graphql } from "../api/gen";
import type { EntityKind } from "../api/gen/graphql";
import { Combobox } from "./Combobox";
import { useDebounced } from "./useDebounced";

const SEARCH = graphql(`
  query PickerSearch($text: String!, $kinds: [EntityKind!], $first: Int!) {
    search(text: $text, kinds: $kinds, first: $first) {
      entity {
        id
        kind
        name
        type
        externalId
      }
      path
    }
  }
`);

export type Choice = { id: string; name: string; kind: EntityKind; type?: string | null };

/** A field in which an entity is searched for by the server and chosen; it never loads a collection. */
export function Picker({
  label,
  kinds,
  without,
  value,
  onChoose,
}: {
  label: string;
  kinds?: EntityKind[];
  /** The id of an entity that cannot be chosen. */
  without?: string;
  value: Choice | null;
  onChoose: (choice: Choice | null) => void;
}) {
  const [text, setText] = useState("");
  const searched = useDebounced(text.trim(), 150);
  const answer = useApi(SEARCH, { text: searched, kinds: kinds ?? null, first: 12 }, { enabled: searched.length > 0, keep: true });
  const matches = searched.length > 0 ? (answer.data?.search ?? []).filter((hit) => hit.entity.id !== without) : [];
  const choose = (id: string) => {
    const entity = matches.find((hit) => hit.entity.id === id)?.entity;
    if (entity) onChoose({ id: entity.id, name: entity.name, kind: entity.kind, type: entity.type ?? null });
  };
  return (
    <Combobox
      label={label}
      placeholder="Name, external id or type"
      chosen={value === null ? null : { name: value.name, note: value.type ?? value.kind.toLowerCase() }}
      text={text}
      onText={setText}
      hits={matches.map(({ entity, path }) => ({ id: entity.id, name: entity.name, note: entity.type ?? entity.kind.toLowerCase(), path }))}
      isAnswered={searched.length > 0 && answer.data !== undefined}
      onChoose={(hit) => (hit === null ? onChoose(null) : choose(hit.id))}
    />
  );
}
