import { useState } from "react";
import { toast } from "../ui/Toasts";
import { type Example, examplesOf } from "./examples";

/** A token that was just issued, in commands that send a first reading with it; shown this once. */
export function SendExamples({ token, name, onDone }: { token: string; name: string; onDone: () => void }) {
  const [shown, setShown] = useState<Example["id"]>("curl");
  const examples = examplesOf(token, new URL("api/v1/telemetry/ingest", document.baseURI));
  const example = examples.find(({ id }) => id === shown) ?? examples[0];
  const copy = async (text: string, what: string) => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`${what} was copied.`);
    } catch {
      toast("The browser refuses to copy: select the text and copy it.");
    }
  };
  return (
    <section className="panel stack token" aria-label="The new token">
      <header className="bar">
        <h2>The token of {name}</h2>
        <span className="tag past">shown this once</span>
      </header>
      <div className="bar">
        <code className="wrap">{token}</code>
        <button type="button" className="button" onClick={() => void copy(token, "The token")}>
          Copy token
        </button>
      </div>
      <fieldset className="bar plain-set">
        <legend className="visually-hidden">How it is sent</legend>
        {examples.map(({ id, label }) => (
          <button type="button" className="button" key={id} aria-pressed={id === example?.id} onClick={() => setShown(id)}>
            {label}
          </button>
        ))}
      </fieldset>
      {example && (
        <>
          <pre tabIndex={0} role="region" aria-label={`Example: ${example.label}`}>{example.text}</pre>
          <div className="bar">
            <button type="button" className="button primary" onClick={() => void copy(example.text, "The example")}>
              Copy
            </button>
            <button type="button" className="button" onClick={onDone}>
              I have saved it
            </button>
          </div>
        </>
      )}
    </section>
  );
}
