// The documents of a small front end, typed by the GraphQL code generator's client preset, and executed with urql.
// node plant.js URL TOKEN
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type FragmentType, graphql, useFragment } from './gql/index.js';

const AssetFields = graphql(`
  fragment AssetFields on Asset {
    id
    name
    healthScore
    attributes
  }
`);
const Assets = graphql(`
  query Assets($filter: EntityFilter, $first: Int!, $after: String) {
    assets(filter: $filter, first: $first, after: $after) {
      totalCount
      nodes {
        ...AssetFields
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);
const Ingest = graphql(`
  mutation Ingest($readings: [ReadingInput!]!) {
    ingestTelemetry(readings: $readings) {
      accepted
      errors {
        code
        path
      }
    }
  }
`);
const Live = graphql(`
  subscription Live($metrics: [String!]) {
    telemetry(metrics: $metrics) {
      series {
        metric
        values
        entity {
          __typename
          name
        }
      }
    }
  }
`);

const [url, token] = process.argv.slice(2) as [string, string];
const socket = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
});
const client = new Client({
  url,
  fetchOptions: { headers: { Authorization: `Bearer ${token}` } },
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? '', variables }, sink) }),
      }),
    }),
  ],
});

function label(asset: FragmentType<typeof AssetFields>): string {
  const { name, healthScore } = useFragment(AssetFields, asset);
  const score: number | null | undefined = healthScore;
  return `${name}: ${score ?? 'no health'}`;
}

async function names(): Promise<string[]> {
  const result: string[] = [];
  for (let after: string | null | undefined = null; ; ) {
    const { data, error }: Awaited<ReturnType<typeof page>> = await page(after);
    if (!data) throw error;
    result.push(...data.assets.nodes.map(label));
    if (!data.assets.pageInfo.hasNextPage) return result;
    after = data.assets.pageInfo.endCursor;
  }
}

const page = (after: string | null | undefined) =>
  client.query(Assets, { filter: { types: ['Pump'] }, first: 2, after }).toPromise();

async function send(value: number): Promise<number> {
  const readings = [{ externalId: 'sensor', metrics: { flow: value } }, { externalId: 'absent', metrics: { flow: 1 } }];
  const { data, error } = await client.mutation(Ingest, { readings }).toPromise();
  if (!data) throw error;
  console.log(JSON.stringify(data.ingestTelemetry));
  return data.ingestTelemetry.accepted;
}

console.log(JSON.stringify(await names()));
client.subscription(Live, { metrics: ['flow'] }).subscribe(({ data, error }) => {
  if (!data) throw error;
  for (const { entity, values } of data.telemetry.series) {
    if (values[0] !== 7) continue;
    console.log(JSON.stringify({ [entity.name]: values[0] }));
    process.exit(0);
  }
});
// The first readings may come before the server subscribes.
await send(7);
setInterval(() => client.mutation(Ingest, { readings: [{ externalId: 'sensor', metrics: { flow: 7 } }] }).toPromise(), 300);
