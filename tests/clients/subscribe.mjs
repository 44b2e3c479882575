// Subscribes with the graphql-ws client and prints each update as a line of JSON.
// node subscribe.mjs URL TOKEN QUERY VARIABLES
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token, query, variables] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
  retryAttempts: 0,
  on: { connected: () => console.log(JSON.stringify({ connected: true })) },
});
client.subscribe(
  { query, variables: JSON.parse(variables) },
  {
    next: (value) => console.log(JSON.stringify(value)),
    error: (error) => {
      console.log(JSON.stringify({ failed: error instanceof Error ? error.message : error }));
      process.exit(1);
    },
    complete: () => process.exit(0),
  },
);
