// Executes an operation with urql, a subscription over graphql-ws, and prints each result as a line of JSON.
// node urql.mjs URL TOKEN QUERY VARIABLES
import { Client, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token, query, variables] = process.argv.slice(2);
const socket = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
  retryAttempts: 0,
});
const client = new Client({
  url,
  fetchOptions: { headers: { Authorization: `Bearer ${token}` } },
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (request) => ({
        subscribe: (sink) => ({
          unsubscribe: socket.subscribe({ query: request.query ?? '', variables: request.variables }, sink),
        }),
      }),
    }),
  ],
});
const document = gql(query);
const { operation } = document.definitions.find((definition) => definition.kind === 'OperationDefinition');
const print = ({ data, error }) => {
  console.log(JSON.stringify(error ? { failed: error.message } : { data }));
  if (error) process.exit(1);
};
if (operation === 'subscription') client.subscription(document, JSON.parse(variables)).subscribe(print);
else {
  print(await client[operation](document, JSON.parse(variables)).toPromise());
  process.exit(0);
}
