import { useState } from "react";
import { Dialog } from "../ui/Dialog";
import { currentNotes } from "../ui/keyNotes";
import { currentKeys } from "../ui/keys";

/** The keys of the page that is open. */
export default function KeysHelp({ onClose }: { onClose: () => void }) {
  const [keys] = useState(() => [...currentKeys(), ...currentNotes()]);
  return (
    <Dialog title="Keys" shape="box" onClose={onClose}>
      <table>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">What it does</th>
          </tr>
        </thead>
        <tbody>
          {keys.map(([key, label]) => (
            <tr key={key}>
              <td className="nowrap">
                {key.split(" ").map((part) => (
                  <kbd key={part}>{part.replace("Control+", "Ctrl ")}</kbd>
                ))}
              </td>
              <td>{label}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
