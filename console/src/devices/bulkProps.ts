import type { EntityFilter } from "../api/gen/graphql";

/** What a dialog for many devices is about. `text`: the filter in words. `onDone`: once it was carried out. */
export type BulkProps = { filter: EntityFilter; text: string; onClose: () => void; onDone: () => void };
