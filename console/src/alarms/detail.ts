import { graphql } from "../api/gen";
import type { AlarmDetailQuery } from "../api/gen/graphql";

export const DETAIL = graphql(`
  query AlarmDetail($id: ID!) {
    node(id: $id) {
      __typename
      ... on Event {
        ...AlarmRow
        clearedReason
        port
        marks {
          kind
          at
          actor
          note
        }
        corrections {
          recordedAt
          before
          after
        }
        activities {
          id
          kind
          name
          state
          dueAt
        }
        rule {
          condition
          severity
          isActive
          deletedAt
        }
      }
    }
  }
`);

/** All about one alarm, as its sheet shows it. */
export type AlarmDetail = Extract<NonNullable<AlarmDetailQuery["node"]>, { __typename: "Event" }>;
