// Runs what relay-compiler made of src/Building.js, with Relay's own store, and prints what the store holds after each
// step as one line of JSON.
// node run.cjs URL TOKEN EXTERNAL_ID
const runtime = require('relay-runtime');
const { createClient } = require('graphql-ws');
const WebSocket = require('ws');

const [url, token, externalId] = process.argv.slice(2);
const artifact = (name) => require(`./src/__generated__/${name}.graphql.js`);

const socket = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
});
const environment = new runtime.Environment({
  network: runtime.Network.create(
    async (operation, variables) => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ query: operation.text, variables }),
      });
      return answer.json();
    },
    (operation, variables) =>
      runtime.Observable.create((sink) => socket.subscribe({ query: operation.text, variables }, sink)),
  ),
  store: new runtime.Store(new runtime.RecordSource()),
});

const query = (name, variables) => runtime.fetchQuery(environment, artifact(name), variables).toPromise();
const mutate = (name, variables) =>
  new Promise((resolve, reject) =>
    runtime.commitMutation(environment, {
      mutation: artifact(name),
      variables,
      onCompleted: (data, errors) => (errors ? reject(new Error(JSON.stringify(errors))) : resolve(data)),
      onError: reject,
    }),
  );
const read = (name, reference) =>
  environment.lookup(runtime.getSingularSelector(artifact(name), reference)).data;
const print = (step, value) => console.log(JSON.stringify({ step, value }));
const names = (connection) => connection.edges.map((edge) => edge.node.name);

async function rooms() {
  const { entity } = await query('BuildingQuery', { externalId });
  let building = read('Building_rooms', entity.building);
  const shown = () => building.children.edges.map((edge) => read('Building_room', edge.node).name);
  const pages = [shown()];
  while (building.children.pageInfo.hasNextPage) {
    // As usePaginationFragment does: the object again, by its id, with the page after the cursor.
    await query('BuildingPaginationQuery', { id: building.id, count: 2, cursor: building.children.pageInfo.endCursor });
    building = read('Building_rooms', entity.building);
    pages.push(shown());
  }
  print('rooms', pages);
  return building.children.edges.map((edge) => read('Building_room', edge.node));
}

async function assets() {
  let data = await query('BuildingAssetsQuery', {});
  let page = read('Building_assets', data).assets;
  const pages = [names(page)];
  while (page.pageInfo.hasPreviousPage) {
    await query('BuildingAssetsBackwardQuery', { count: 2, cursor: page.pageInfo.startCursor });
    page = read('Building_assets', data).assets;
    pages.push(names(page));
  }
  print('assets', pages);

  const connections = [runtime.ConnectionHandler.getConnectionID('client:root', 'Building_assets', { orderBy: 'NAME_ASC' })];
  const { createAsset } = await mutate('BuildingAddMutation', { name: 'zz', connections });
  const added = names(read('Building_assets', data).assets);
  await mutate('BuildingDeleteMutation', { id: createAsset.asset.id, connections });
  print('changed', [added, names(read('Building_assets', data).assets)]);
}

async function room(first) {
  const { node } = await query('BuildingRoomRefetchQuery', { id: first.id });
  print('refetched', read('Building_room', node));

  const changed = new Promise((resolve, reject) => {
    const running = runtime.requestSubscription(environment, {
      subscription: artifact('BuildingLiveSubscription'),
      variables: { ids: [first.id] },
      onNext: (data) => {
        running.dispose();
        resolve(data);
      },
      onError: reject,
    });
  });
  // The first change may come before the server subscribes.
  let number = 0;
  const change = async () =>
    mutate('BuildingRenameMutation', { id: first.id, name: `Renamed ${(number += 1)}` });
  const { updateSpace } = await change();
  print('renamed', [updateSpace, read('Building_room', node).name]);
  const changing = setInterval(change, 300);
  const { entityChanged } = await changed;
  clearInterval(changing);
  print('subscribed', entityChanged.name.startsWith('Renamed'));
}

async function main() {
  const [first] = await rooms();
  await assets();
  await room(first);
  await socket.dispose();
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
