import { graphql } from "../../api/gen";
import type { AssetListQuery, SpaceListQuery, VisibleHubRowsQuery, VisibleHubRowsQueryVariables } from "../../api/gen/graphql";
import { useApi } from "../../api/hooks";
import { type Pages, usePages } from "../../api/usePages";
import { openEvents } from "../../alarms/openEvents";
import { type ChangedRow, useChangedRows } from "../../entities/useChangedRows";
import { useRowDetails } from "../../entities/useRowDetails";
import { coordinatesOf } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import type { Severity } from "../../ui/Tags";
import { filterOf, type HubKind, type HubSearch, orderOf } from "./hubFilter";

const ASSETS = graphql(`
  query AssetList($filter: EntityFilter, $orderBy: EntityOrder, $asOf: DateTime, $knownAt: DateTime, $after: String) {
    assets(filter: $filter, orderBy: $orderBy, asOf: $asOf, knownAt: $knownAt, first: 200, after: $after) {
      nodes {
        id
        kind
        name
        type
        status
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    newest: assets(orderBy: CREATED_DESC, first: 1) {
      nodes {
        createdAt
      }
    }
  }
`);

const SPACES = graphql(`
  query SpaceList($filter: EntityFilter, $orderBy: EntityOrder, $asOf: DateTime, $knownAt: DateTime, $after: String) {
    spaces(filter: $filter, orderBy: $orderBy, asOf: $asOf, knownAt: $knownAt, first: 200, after: $after) {
      nodes {
        id
        kind
        name
        type
        status
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    newest: spaces(orderBy: CREATED_DESC, first: 1) {
      nodes {
        createdAt
      }
    }
  }
`);

const FACETS = graphql(`
  query HubFacets(
    $filter: EntityFilter
    $forType: EntityFilter
    $forStatus: EntityFilter
    $forAlarms: EntityFilter
    $asOf: DateTime
    $knownAt: DateTime
    $under: ID!
    $isUnder: Boolean!
  ) {
    entities(filter: $filter, asOf: $asOf, knownAt: $knownAt, first: 0) {
      totalCount
    }
    type: facets(filter: $forType, by: [TYPE], first: 100) {
      values {
        value
        label
        count
      }
    }
    status: facets(filter: $forStatus, by: [STATUS], first: 50) {
      values {
        value
        label
        count
      }
    }
    alarms: facets(filter: $forAlarms, by: [OPEN_SEVERITY]) {
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
        type
      }
    }
  }
`);

const VISIBLE = graphql(`
  query VisibleHubRows($ids: [ID!]!, $states: [EventState!], $openAt: DateTime, $asOf: DateTime, $knownAt: DateTime) {
    nodes(ids: $ids) {
      id
      ... on Asset {
        healthScore
        parents(asOf: $asOf, knownAt: $knownAt) {
          id
          kind
          name
        }
        places: related(relationships: ["LOCATED_IN"], asOf: $asOf, knownAt: $knownAt, first: 1) {
          nodes {
            id
            kind
            name
          }
        }
        devices(asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
      }
      ... on Space {
        parents(asOf: $asOf, knownAt: $knownAt) {
          id
          kind
          name
        }
        occupants(asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
        children(asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
      }
    }
    events(filter: { entityIds: $ids, states: $states, openAt: $openAt }, first: 500) {
      nodes {
        id
        severity
        entity {
          id
        }
      }
    }
  }
`);

export type HubRow = AssetListQuery["assets"]["nodes"][number] | SpaceListQuery["spaces"]["nodes"][number];
type End = { id: string; kind: string; name: string };
/** What is added to a row while it is in view. */
export type RowDetail = {
  /** What is requested of the row; absent: not yet. */
  around?: { health: number | null; parent: End | null; devices: number | null; inside: number | null; alarms: Partial<Record<Severity, number>> };
  /** Its own fields, where they changed since the list was loaded. */
  own?: ChangedRow;
};

/** The rows of the list, page by page. */
export function useHubRows(kind: HubKind, search: HubSearch): Pages<HubRow, AssetListQuery | SpaceListQuery> {
  const { moment } = useMoment();
  const variables = { filter: filterOf(kind, search), orderBy: orderOf(kind, search), ...coordinatesOf(moment), after: null };
  const assets = usePages(ASSETS, variables, (data) => data.assets, { keep: true, staleMs: 30_000, enabled: kind === "ASSET" });
  const spaces = usePages(SPACES, variables, (data) => data.spaces, { keep: true, staleMs: 30_000, enabled: kind === "SPACE" });
  return kind === "ASSET" ? assets : spaces;
}

/** How many match, and how many each further choice would leave: one request. */
export function useHubFacets(kind: HubKind, search: HubSearch) {
  const { moment } = useMoment();
  return useApi(
    FACETS,
    {
      filter: filterOf(kind, search),
      forType: filterOf(kind, search, "type"),
      forStatus: filterOf(kind, search, "status"),
      forAlarms: filterOf(kind, search, "alarms"),
      ...coordinatesOf(moment),
      under: search.under ?? "",
      isUnder: Boolean(search.under),
    },
    { keep: true, staleMs: 10_000 },
  );
}

/** Details of the rows in view, by id: one request for all of them once the scrolling rests. */
export function useVisibleHubRows(rows: readonly HubRow[]) {
  const { moment } = useMoment();
  const ids = rows.map((row) => row.id);
  const { details, push, refetch, faults } = useRowDetails<VisibleHubRowsQuery, VisibleHubRowsQueryVariables, RowDetail>({
    document: VISIBLE,
    variables: { ids, ...openEvents(moment), ...coordinatesOf(moment) },
    enabled: ids.length > 0,
    detailsOf,
    staleMs: 10_000,
    refetchMs: 15_000,
  });
  useChangedRows(ids, (id, own) => push(id, { own }), refetch);
  return { details, faults };
}

function detailsOf(data: VisibleHubRowsQuery): Map<string, RowDetail> {
  const details = new Map<string, Required<Pick<RowDetail, "around">>>();
  for (const node of data.nodes) {
    if (!node || !("parents" in node)) continue;
    const isSpace = "occupants" in node;
    const place = isSpace ? null : (node.places?.nodes[0] ?? null);
    details.set(node.id, {
      around: {
        health: isSpace ? null : (node.healthScore ?? null),
        parent: node.parents?.[0] ?? place,
        devices: isSpace ? null : (node.devices?.totalCount ?? null),
        inside: isSpace ? (node.children?.totalCount ?? 0) + (node.occupants?.totalCount ?? 0) : null,
        alarms: {},
      },
    });
  }
  for (const event of data.events.nodes) {
    const alarms = details.get(event.entity.id)?.around.alarms;
    if (alarms) alarms[event.severity] = (alarms[event.severity] ?? 0) + 1;
  }
  return details;
}
