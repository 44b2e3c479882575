import { useState } from "react";
import { graphql } from "../api/gen";
import { useApi, useChange } from "../api/hooks";
import { type Micros, textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { faultsElsewhere, InstantField, whenComplete } from "../ui/Fields";
import { Empty, Failed, NowNote, Part } from "../ui/States";
import { Age, Instant } from "../ui/Time";
import { toast } from "../ui/Toasts";
import { SendExamples } from "./SendExamples";
import { tokenIssued, tokenSaved, useShownTokens } from "./shownTokens";

const TOKENS = graphql(`
  query DeviceTokens($id: ID!) {
    node(id: $id) {
      id
      ... on Device {
        tokens {
          id
          issuedAt
          issuedBy
          lastUsedAt
          expiresAt
          revokedAt
        }
      }
    }
  }
`);

const ISSUE = graphql(`
  mutation IssueDeviceToken($deviceId: ID!, $expiresAt: DateTime) {
    issueDeviceToken(deviceId: $deviceId, expiresAt: $expiresAt) {
      token
      tokenId
      errors {
        code
        message
        path
      }
    }
  }
`);

const REVOKE = graphql(`
  mutation RevokeDeviceToken($deviceId: ID!, $tokenId: ID!) {
    revokeDeviceToken(deviceId: $deviceId, tokenId: $tokenId) {
      tokenId
      errors {
        code
        message
        path
      }
    }
  }
`);

/** The tokens by which a device sends: issued here, shown once with what uses them, and revoked. One request. */
export function TokensTab({ deviceId, name }: { deviceId: string; name: string }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const answer = useApi(TOKENS, { id: deviceId });
  const issue = useChange(ISSUE, (data) => data.issueDeviceToken);
  const revoke = useChange(REVOKE, (data) => data.revokeDeviceToken);
  const shown = useShownTokens(deviceId);
  const [expiresAt, setExpiresAt] = useState<Micros | null>(null);
  const [confirming, setConfirming] = useState<string | null>(null);
  const run = async () => {
    const payload = await issue.run({ deviceId, expiresAt: expiresAt === null ? null : textOf(expiresAt) }).catch(() => null);
    if (payload?.token) tokenIssued(deviceId, payload.token);
  };
  return (
    <div className="stack">
      {shown.map((token) => (
        <SendExamples key={token} token={token} name={name} onDone={() => tokenSaved(deviceId, token)} />
      ))}
      <section className="panel stack">
        <h2>Issue a token</h2>
        <p className="muted">With it a program can send readings of this device, and nothing else. It is shown once; Argus stores only its hash.</p>
        <div className="bar bottom">
          <InstantField label="Expires" name="expiresAt" emptyText="never" value={expiresAt} onChange={setExpiresAt} faults={issue.faults} />
          <button type="button" className="button primary" disabled={past || issue.isRunning} onClick={whenComplete(() => void run())}>
            Issue token
          </button>
        </div>
        <Failed faults={faultsElsewhere(issue.faults, ["expiresAt"])} />
      </section>
      <Part of={answer} what="tokens">
        {(data) => {
          const tokens = data.node && "tokens" in data.node ? (data.node.tokens ?? []) : [];
          return (
            <section className="panel">
              <h2>
                Tokens <NowNote past={past} />
              </h2>
              <Failed faults={[...answer.faults, ...revoke.faults]} />
              {tokens.length === 0 && answer.faults.length === 0 && (
                <Empty title="No token was issued yet">
                  <p>Until it has a token, only a program with an API key can send its readings.</p>
                </Empty>
              )}
              {tokens.length > 0 && (
                <div className="scroll" tabIndex={0} role="region" aria-label="Tokens">
                  <table>
                    <thead>
                      <tr>
                        <th scope="col">Issued</th>
                        <th scope="col">By</th>
                        <th scope="col">Last used</th>
                        <th scope="col">State</th>
                        <th scope="col">
                          <span className="visually-hidden">Actions</span>
                        </th>
                      </tr>
                    </thead>
                    <tbody>
                      {tokens.map((token) => (
                        <tr key={token.id}>
                          <td>
                            <Instant at={token.issuedAt} />
                          </td>
                          <td>{token.issuedBy}</td>
                          <td>
                            <Age at={token.lastUsedAt} />
                          </td>
                          <td>
                            <TokenState token={token} />
                          </td>
                          <td className="nowrap">
                            {!token.revokedAt &&
                              (confirming === token.id ? (
                                <>
                                  <button
                                    type="button"
                                    className="button danger"
                                    disabled={revoke.isRunning}
                                    onClick={() =>
                                      void revoke.run({ deviceId, tokenId: token.id }).then(
                                        () => toast("The token was revoked: what uses it is refused."),
                                        () => {},
                                      )
                                    }
                                  >
                                    Revoke: it is refused at once
                                  </button>{" "}
                                  <button type="button" className="button" onClick={() => setConfirming(null)}>
                                    Keep it
                                  </button>
                                </>
                              ) : (
                                <button type="button" className="button quiet" disabled={past} onClick={() => setConfirming(token.id)}>
                                  Revoke…
                                </button>
                              ))}
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              )}
            </section>
          );
        }}
      </Part>
    </div>
  );
}

function TokenState({ token }: { token: { expiresAt?: string | null; revokedAt?: string | null } }) {
  if (token.revokedAt) {
    return (
      <>
        <span className="tag">revoked</span> <Instant at={token.revokedAt} />
      </>
    );
  }
  if (token.expiresAt && Date.parse(token.expiresAt) <= Date.now()) return <span className="tag bad">expired</span>;
  return (
    <>
      <span className="tag good">✓ valid</span> {token.expiresAt && <>until <Instant at={token.expiresAt} /></>}
    </>
  );
}
