import { graphql } from "../api/gen";
import type { EntityFilter } from "../api/gen/graphql";
import { useApi } from "../api/hooks";

/** What is done device by device, and not by filter, takes at most so many. */
export const ONE_BY_ONE_MOST = 200;

const SELECTED = graphql(`
  query SelectedDevices($filter: EntityFilter!) {
    devices(filter: $filter, first: 200) {
      totalCount
      nodes {
        id
        name
        externalId
      }
    }
  }
`);

/** The devices of a selection, with their names; of one with more than 200, only their number is of use. */
export function useSelectedDevices(filter: EntityFilter) {
  return useApi(SELECTED, { filter });
}
