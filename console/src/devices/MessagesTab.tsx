import { graphql } from "../api/gen";
import { useChange } from "../api/hooks";
import { usePages } from "../api/usePages";
import { ActionButton } from "../session/ActionButton";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, Loading, NowNote } from "../ui/States";
import { Instant } from "../ui/Time";
import { toast } from "../ui/Toasts";

const RAW = graphql(`
  query RawReadings($id: ID!, $after: String) {
    node(id: $id) {
      id
      ... on Device {
        rawReadings(first: 50, after: $after) {
          nodes {
            id
            receivedAt
            timestamp
            port
            transport
            payload
            outcome
            deadLetters {
              id
              code
              message
              metric
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`);

const DEAD_LETTERS = graphql(`
  query DeviceDeadLetters($deviceId: ID!, $after: String) {
    deadLetters(filter: { deviceId: $deviceId }, first: 50, after: $after) {
      totalCount
      nodes {
        id
        stage
        code
        message
        metric
        payload
        receivedAt
        attempts
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const RETRY = graphql(`
  mutation RetryDeviceLetters($filter: DeadLetterFilter!) {
    retryDeadLetters(filter: $filter) {
      count
      remaining
      errors {
        code
        message
        path
      }
    }
  }
`);

const OUTCOMES: Record<string, string> = { stored: "✓ stored", dead: "✕ could not be processed", duplicate: "= repeats an earlier one", pending: "… not yet processed" };

/** What a device sent as it was received, and what of it could not be processed. Two requests. */
export function MessagesTab({ deviceId }: { deviceId: string }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const raw = usePages(RAW, { id: deviceId, after: null }, (data) => (data.node && "rawReadings" in data.node ? data.node.rawReadings : null), { staleMs: 5_000 });
  return (
    <div className="stack">
      <DeadLetters deviceId={deviceId} past={past} />
      <section className="panel">
        <header>
          <h2>
            Received, the newest first <NowNote past={past} />
          </h2>
          <button type="button" className="button" onClick={raw.refetch} disabled={raw.isFetching}>
            Refresh
          </button>
        </header>
        <Failed faults={raw.error?.faults ?? raw.faults} retry={raw.retry} />
        {raw.isLoading && <Loading what="messages" />}
        {!raw.isLoading && !raw.error && raw.nodes.length === 0 && (
          <Empty title="Nothing was received yet">
            <p>Issue a token in the tab Tokens: it comes with a command that sends the first reading.</p>
          </Empty>
        )}
        {raw.nodes.length > 0 && (
          <div className="scroll" tabIndex={0} role="region" aria-label="Received readings">
            <table>
              <thead>
                <tr>
                  <th scope="col">Received</th>
                  <th scope="col">Measured</th>
                  <th scope="col">Port</th>
                  <th scope="col">Transport</th>
                  <th scope="col">Outcome</th>
                  <th scope="col">Payload</th>
                </tr>
              </thead>
              <tbody>
                {raw.nodes.map((reading) => (
                  <tr key={reading.id}>
                    <td>
                      <Instant at={reading.receivedAt} />
                    </td>
                    <td>
                      <Instant at={reading.timestamp} />
                    </td>
                    <td className="number">{reading.port ?? ""}</td>
                    <td>{reading.transport}</td>
                    <td>
                      <span className={`tag ${reading.outcome === "stored" ? "good" : reading.outcome === "dead" ? "bad" : ""}`}>{OUTCOMES[reading.outcome] ?? reading.outcome}</span>
                      {reading.deadLetters.map((deadLetter) => (
                        <div key={deadLetter.id} className="small">
                          <code>{deadLetter.code}</code> {deadLetter.metric ? `${deadLetter.metric}: ` : ""}
                          {deadLetter.message}
                        </div>
                      ))}
                    </td>
                    <td>
                      <code className="wrap">{JSON.stringify(reading.payload)}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <div className="bar">
          <span className="muted number">{raw.nodes.length} loaded</span>
          {raw.hasMore && (
            <button type="button" className="button" onClick={raw.loadMore} disabled={raw.isFetching}>
              Show more
            </button>
          )}
        </div>
      </section>
    </div>
  );
}

function DeadLetters({ deviceId, past }: { deviceId: string; past: boolean }) {
  const deadLetters = usePages(DEAD_LETTERS, { deviceId, after: null }, (data) => data.deadLetters, { staleMs: 5_000 });
  const retry = useChange(RETRY, (data) => data.retryDeadLetters);
  const run = (filter: { ids?: string[]; deviceId?: string }) =>
    void retry.run({ filter }).then(
      (payload) => toast(`${payload.count} ${payload.count === 1 ? "is" : "are"} processed again, within seconds.`),
      () => {},
    );
  return (
    <section className="panel">
      <header>
        <h2>
          Dead letters <NowNote past={past} />
        </h2>
        <span className="muted number">{deadLetters.totalCount === null ? "" : `${deadLetters.totalCount.toLocaleString("en")} open`}</span>
        {(deadLetters.totalCount ?? 0) > 0 && (
          <ActionButton mutation="retryDeadLetters" past={past} disabled={retry.isRunning} onClick={() => run({ deviceId })}>
            Retry all of this device
          </ActionButton>
        )}
      </header>
      <Failed faults={[...(deadLetters.error?.faults ?? deadLetters.faults), ...retry.faults]} retry={deadLetters.retry} />
      {deadLetters.isLoading && <Loading what="dead letters" />}
      {deadLetters.totalCount === 0 && <p className="muted">None: all that it sent could be processed.</p>}
      {deadLetters.nodes.length > 0 && (
        <div className="scroll" tabIndex={0} role="region" aria-label="Dead letters">
          <table>
            <thead>
              <tr>
                <th scope="col">Received</th>
                <th scope="col">Why</th>
                <th scope="col">Payload</th>
                <th scope="col" className="number">
                  Attempts
                </th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {deadLetters.nodes.map((deadLetter) => (
                <tr key={deadLetter.id}>
                  <td>
                    <Instant at={deadLetter.receivedAt} />
                  </td>
                  <td>
                    <code>{deadLetter.code}</code> <span className="muted">in {deadLetter.stage}</span>
                    <div>
                      {deadLetter.metric ? `${deadLetter.metric}: ` : ""}
                      {deadLetter.message}
                    </div>
                  </td>
                  <td>
                    <code className="wrap">{JSON.stringify(deadLetter.payload)}</code>
                  </td>
                  <td className="number">{deadLetter.attempts}</td>
                  <td>
                    <ActionButton mutation="retryDeadLetters" past={past} className="button quiet" disabled={retry.isRunning} onClick={() => run({ ids: [deadLetter.id] })}>
                      Retry
                    </ActionButton>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {deadLetters.hasMore && (
        <button type="button" className="button" onClick={deadLetters.loadMore} disabled={deadLetters.isFetching}>
          Show more
        </button>
      )}
    </section>
  );
}
