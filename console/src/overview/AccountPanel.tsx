import { NowNote } from "../ui/States";
import { type Account, unaccounted } from "./account";

const PARTS: readonly [keyof Account, string, string][] = [
  ["stored", "stored", "at least one point of each is in the history"],
  ["duplicate", "duplicate", "they repeated an earlier one, and changed nothing"],
  ["dead", "dead", "no point of them could be stored; each has a dead letter"],
  ["pending", "pending", "they wait to be processed"],
];

/** What became of every reading of 24 hours, as one equation. */
export function AccountPanel({ account, past }: { account: Account; past: boolean }) {
  const rest = unaccounted(account);
  return (
    <section className="panel" aria-labelledby="overview-account">
      <header>
        <h2 id="overview-account">Readings of the last 24 hours</h2>
        {past && <span className="muted small">before the moment; what became of them is of now</span>}
        <NowNote past={past} />
      </header>
      <p className="equation number">
        <span>
          <b>{account.received.toLocaleString("en")}</b> received
        </span>
        {PARTS.map(([name, label, title], index) => (
          <span key={name} title={title} data-what={account[name] > 0 && name === "dead" ? "bad" : ""}>
            {index === 0 ? "=" : "+"} <b>{account[name].toLocaleString("en")}</b> {label}
          </span>
        ))}
      </p>
      {rest === 0 ? (
        <p className="small muted">Every reading is accounted for.</p>
      ) : (
        <p className="small">
          {rest > 0
            ? `${rest.toLocaleString("en")} are on their way: they are counted as received, and not yet under an outcome.`
            : `${(-rest).toLocaleString("en")} more were processed than received in this range: they were received just before it.`}
        </p>
      )}
    </section>
  );
}
