import { useEffect, useState } from "react";
import { graphql } from "../api/gen";
import type { DeviceFacetsQuery, DeviceListQuery } from "../api/gen/graphql";
import { useApi, usePages } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
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

const CREATED = graphql(`
  subscription DevicesCreated {
    entityChanged(kinds: [DEVICE]) {
      id
      createdAt
    }
  }
`);

export type DeviceRow = DeviceListQuery["devices"]["nodes"][number];
export type Facets = DeviceFacetsQuery;

/** The devices that an address means, page by page. One request a page. */
export function useDeviceList(search: DeviceSearch) {
  const { moment } = useMoment();
  const coordinates = coordinatesOf(moment);
  return usePages(
    LIST,
    { filter: filterOf(search), orderBy: orderOf(search), asOf: coordinates.asOf ?? null, knownAt: coordinates.knownAt ?? null, after: null },
    (data) => data.devices,
    { keep: true, staleMs: 60_000 },
  );
}

/** How many match, and how many each further choice would leave: one request. */
export function useFacets(search: DeviceSearch) {
  const { moment } = useMoment();
  const coordinates = coordinatesOf(moment);
  return useApi(
    FACETS,
    {
      filter: filterOf(search),
      forType: filterOf(search, "type"),
      forStatus: filterOf(search, "status"),
      forConnectivity: filterOf(search, "connectivity"),
      asOf: coordinates.asOf ?? null,
      knownAt: coordinates.knownAt ?? null,
      under: search.under ?? "",
      isUnder: Boolean(search.under),
    },
    { keep: true, staleMs: 10_000 },
  );
}

const TOGETHER_MS = 1_000;

/**
 * The number of devices that were created while the list is shown; they are not put under the pointer.
 *
 * `since` changes where the list was loaded again: the count begins anew.
 */
export function useNewcomers(enabled: boolean, since: unknown, onReopen: () => unknown): number {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [loadedAt, setLoadedAt] = useState(() => Date.now());
  useEffect(() => {
    setIds(new Set());
    setLoadedAt(Date.now());
  }, [since]);
  const [pending] = useState<Set<string>>(() => new Set());
  useLive(CREATED, enabled ? {} : null, ({ entityChanged }) => {
    if (Date.parse(entityChanged.createdAt) < loadedAt - TOGETHER_MS) return;
    pending.add(entityChanged.id);
    if (pending.size > 1) return;
    // A flood of them is drawn once a second.
    setTimeout(() => {
      setIds((before) => new Set([...before, ...pending]));
      pending.clear();
    }, TOGETHER_MS);
  });
  useEffect(() => onReopened(() => void onReopen()), [onReopen]);
  return ids.size;
}
