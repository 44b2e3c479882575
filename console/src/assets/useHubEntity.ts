import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
import { textOf } from "../time/instant";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { useEffect, useMemo } from "react";
import { breadcrumbOf, type Place } from "./breadcrumb";
import { nullable } from "./useHubList";

const ENTITY = graphql(`
  query HubEntity($id: ID!, $at: DateTime!, $isSeen: Boolean!, $up: TraverseInput!) {
    node(id: $id) {
      __typename
      id
      ... on Entity {
        kind
        name
        type
        status
        externalId
        attributes
        location
        createdAt
        updatedAt
        deletedAt
        asRecorded(at: $at) @include(if: $isSeen) {
          name
          type
          status
          externalId
          attributes
          location
          recordedAt
          actor
          deletedAt
        }
      }
    }
    traverse(input: $up) {
      edges {
        id
        relationship
        source {
          id
          kind
          name
        }
        target {
          id
          kind
          name
        }
      }
    }
  }
`);

const CHANGED = graphql(`
  subscription HubEntityChanged($ids: [ID!]!) {
    entityChanged(ids: $ids) {
      id
      updatedAt
    }
  }
`);

/** Who an asset or a space is at the moment shown, and the way down to it: one request, live by a subscription. */
export function useHubEntity(id: string) {
  const { moment } = useMoment();
  const isSeen = moment.mode === "seen";
  const answer = useApi(
    ENTITY,
    {
      id,
      at: isPast(moment) ? textOf(moment.at) : "1970-01-01T00:00:00Z",
      isSeen,
      up: {
        startIds: [id],
        steps: [
          { relationships: ["HAS_PART"], direction: "IN" as const, depth: 32, includeStart: true },
          { relationships: ["LOCATED_IN"], depth: 4, includeStart: true },
          { relationships: ["CONTAINS"], direction: "IN" as const, depth: 32, includeStart: true },
        ],
        ...nullable(coordinatesOf(moment)),
      },
    },
    { keep: true, staleMs: 15_000 },
  );
  const { refetch } = answer;
  const isThere = answer.data?.node?.id === id;
  useLive(CHANGED, isPast(moment) || !isThere ? null : { ids: [id] }, () => void refetch());
  useEffect(() => onReopened(() => void refetch()), [refetch]);
  const edges = answer.data?.traverse.edges;
  const way = useMemo((): Place[] => breadcrumbOf(id, edges ?? []), [id, edges]);
  const node = answer.data?.node;
  const entity = node && "kind" in node && node.id === id ? node : null;
  const record = isSeen ? (entity?.asRecorded ?? null) : null;
  return { answer, entity, record, way, mode: moment.mode };
}

export type HubEntity = NonNullable<ReturnType<typeof useHubEntity>["entity"]>;
export type HubRecord = NonNullable<ReturnType<typeof useHubEntity>["record"]>;
