/** The account of the readings of a range: each that was received is in exactly one of the others. */
export type Account = { received: number; stored: number; duplicate: number; dead: number; pending: number };

/** Return by how many readings the two sides of the account differ; 0: none is unaccounted for. */
export function unaccounted(account: Account): number {
  return account.received - account.stored - account.duplicate - account.dead - account.pending;
}
