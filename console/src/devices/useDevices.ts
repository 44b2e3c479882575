import { graphql } from "../api/gen";
import type { DeviceFacetsQuery, DeviceListQuery } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { usePages } from "../api/usePages";
import { coordinatesOf } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { type DeviceSearch, filterOf, orderOf } from "./deviceFilter";

const LIST = graphql(`
  query DeviceList($filter: EntityFilter, $orderBy: EntityOrder, $asOf: DateTime, $knownAt: DateTime, $after: String) {
    devices(filter: $filter, orderBy: $orderBy, asOf: $asOf, knownAt: $knownAt, first: 200, after: $after) {
      nodes {
        id
        kind
        name
        type
        status
        connectivity
        lastSeenAt
        linkedAssetsCount
        firmwareVersion
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    newest: devices(orderBy: CREATED_DESC, first: 1) {
      nodes {
        createdAt
      }
    }
  }
`);

const FACETS = graphql(`
  query DeviceFacets(
    $filter: EntityFilter
    $forType: EntityFilter
    $forStatus: EntityFilter
    $forConnectivity: EntityFilter
    $asOf: DateTime
    $knownAt: DateTime
    $under: ID!
    $isUnder: Boolean!
  ) {
    devices(filter: $filter, asOf: $asOf, knownAt: $knownAt, first: 0) {
      totalCount
    }
    type: facets(filter: $forType, by: [TYPE], first: 50) {
      values {
        value
        count
      }
    }
    status: facets(filter: $forStatus, by: [STATUS]) {
      values {
        value
        count
      }
    }
    connectivity: facets(filter: $forConnectivity, by: [CONNECTIVITY]) {
      values {
        value
        count
      }
    }
    under: node(id: $under) @include(if: $isUnder) {
      id
      ... on Entity {
        kind
        name
      }
    }
  }
`);

export type DeviceRow = DeviceListQuery["devices"]["nodes"][number];
export type Facets = DeviceFacetsQuery;

/** The devices that an address means, page by page. One request a page. */
export function useDeviceList(search: DeviceSearch) {
  const { moment } = useMoment();
  return usePages(
    LIST,
    { filter: filterOf(search), orderBy: orderOf(search), ...coordinatesOf(moment), after: null },
    (data) => data.devices,
    { keep: true, staleMs: 60_000 },
  );
}

/** How many match, and how many each further choice would leave: one request. */
export function useFacets(search: DeviceSearch) {
  const { moment } = useMoment();
  return useApi(
    FACETS,
    {
      filter: filterOf(search),
      forType: filterOf(search, "type"),
      forStatus: filterOf(search, "status"),
      forConnectivity: filterOf(search, "connectivity"),
      ...coordinatesOf(moment),
      under: search.under ?? "",
      isUnder: Boolean(search.under),
    },
    { keep: true, staleMs: 10_000 },
  );
}
