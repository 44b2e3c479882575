import { graphql } from "../api/gen";
import type { EntityFilter } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { request } from "../api/request";

const COUNT = graphql(`
  query SelectedDevicesCount($filter: EntityFilter!) {
    devices(filter: $filter, first: 0) {
      totalCount
    }
  }
`);

const SELECTED = graphql(`
  query SelectedDevices($filter: EntityFilter!, $after: String) {
    devices(filter: $filter, orderBy: CREATED_ASC, first: 500, after: $after) {
      nodes {
        id
        name
        externalId
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export type SelectedDevice = { id: string; name: string; externalId?: string | null };

/** How many devices a selection has: said before anything is done with them. */
export function useSelectedCount(filter: EntityFilter) {
  return useApi(COUNT, { filter });
}

/** Return the devices of a selection, page by page, at most so many. Throws RequestError. */
export async function selectedDevices(filter: EntityFilter, most: number, onProgress: (count: number) => void): Promise<SelectedDevice[]> {
  const devices: SelectedDevice[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof pageOf>> = await pageOf(filter, after);
    devices.push(...page.nodes);
    onProgress(devices.length);
    after = page.pageInfo.hasNextPage ? (page.pageInfo.endCursor ?? null) : null;
  } while (after !== null && devices.length < most);
  return devices.slice(0, most);
}

async function pageOf(filter: EntityFilter, after: string | null) {
  return (await request(SELECTED, { filter, after })).data.devices;
}
