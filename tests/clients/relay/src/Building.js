// The documents of a small front end, compiled by relay-compiler: a building with its rooms, page by page.
import { graphql } from 'relay-runtime';

export const BuildingQuery = graphql`
  query BuildingQuery($externalId: String!) {
    viewer {
      role
    }
    entity(kind: SPACE, externalId: $externalId) {
      ...Building_rooms @alias(as: "building")
    }
  }
`;

export const rooms = graphql`
  fragment Building_rooms on Space
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "BuildingPaginationQuery") {
    id
    name
    children(first: $count, after: $cursor) @connection(key: "Building_rooms_children") {
      edges {
        node {
          ...Building_room
        }
      }
    }
  }
`;

export const room = graphql`
  fragment Building_room on Entity @refetchable(queryName: "BuildingRoomRefetchQuery") {
    id
    name
    latest(metrics: ["temperature"]) {
      value
    }
  }
`;

export const assets = graphql`
  fragment Building_assets on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "BuildingAssetsBackwardQuery") {
    assets(last: $count, before: $cursor, orderBy: NAME_ASC) @connection(key: "Building_assets") {
      totalCount
      edges {
        node {
          id
          name
        }
      }
    }
  }
`;

export const BuildingAssetsQuery = graphql`
  query BuildingAssetsQuery {
    ...Building_assets
  }
`;

export const BuildingRenameMutation = graphql`
  mutation BuildingRenameMutation($id: ID!, $name: String!) {
    updateSpace(id: $id, input: { name: $name }) {
      space {
        id
        name
      }
      errors {
        code
        message
        path
      }
    }
  }
`;

export const BuildingAddMutation = graphql`
  mutation BuildingAddMutation($name: String!, $connections: [ID!]!) {
    createAsset(input: { name: $name }) {
      asset @appendNode(connections: $connections, edgeTypeName: "AssetEdge") {
        id
        name
      }
      errors {
        code
      }
    }
  }
`;

export const BuildingDeleteMutation = graphql`
  mutation BuildingDeleteMutation($id: ID!, $connections: [ID!]!) {
    deleteAsset(id: $id) {
      asset {
        id @deleteEdge(connections: $connections)
      }
      errors {
        code
      }
    }
  }
`;

export const BuildingLiveSubscription = graphql`
  subscription BuildingLiveSubscription($ids: [ID!]) {
    entityChanged(ids: $ids) {
      id
      name
    }
  }
`;
