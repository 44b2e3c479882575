import { useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "../api/gen";
import type { EntityKind } from "../api/gen/graphql";
import { type Fault, RequestError, request } from "../api/request";

const DEVICE = graphql(`
  mutation UpdateDeviceFields($id: ID!, $input: UpdateDeviceInput!) {
    result: updateDevice(id: $id, input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);
const ASSET = graphql(`
  mutation UpdateAssetFields($id: ID!, $input: UpdateAssetInput!) {
    result: updateAsset(id: $id, input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);
const SPACE = graphql(`
  mutation UpdateSpaceFields($id: ID!, $input: UpdateSpaceInput!) {
    result: updateSpace(id: $id, input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);
const PERSON = graphql(`
  mutation UpdatePersonFields($id: ID!, $input: UpdatePersonInput!) {
    result: updatePerson(id: $id, input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);
const ACTIVITY = graphql(`
  mutation UpdateActivityFields($id: ID!, $input: UpdateActivityInput!) {
    result: updateActivity(id: $id, input: $input) {
      errors {
        code
        message
        path
      }
    }
  }
`);

/** Fields that entities of every kind have; `firmwareVersion` is a device's alone. Left out: unchanged. */
export type EntityFields = {
  name?: string;
  externalId?: string | null;
  type?: string | null;
  status?: string;
  /** Merged into what is stored (RFC 7396). */
  attributes?: Record<string, unknown>;
  replaceAttributes?: Record<string, unknown>;
  firmwareVersion?: string | null;
};

const DOCUMENTS = { DEVICE, ASSET, SPACE, PERSON, ACTIVITY };

/** Change fields of an entity of any kind; what was refused is in `faults`. */
export function useUpdateEntity(kind: EntityKind): {
  run: (id: string, input: EntityFields) => Promise<void>;
  isRunning: boolean;
  faults: Fault[];
  reset: () => void;
} {
  const client = useQueryClient();
  const mutation = useMutation<void, RequestError, { id: string; input: EntityFields }>({
    mutationFn: async (variables) => {
      const answer = await request(DOCUMENTS[kind], variables);
      const refused = answer.data.result.errors.map((error) => ({ ...error }));
      if (refused.length > 0) throw new RequestError(refused, 200);
    },
    onSuccess: () => client.invalidateQueries(),
  });
  return {
    run: (id, input) => mutation.mutateAsync({ id, input }),
    isRunning: mutation.isPending,
    faults: mutation.error?.faults ?? [],
    reset: mutation.reset,
  };
}
