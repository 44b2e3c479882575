import { useEffect, useRef, useState } from "react";

/**
 * A text that is typed and stands in the address: it is written there as it is typed, and follows where the address
 * changes otherwise, by a link or the back button.
 */
export function useAddressText(inAddress: string | undefined, write: (text: string | undefined) => void): [string, (text: string) => void] {
  const [text, setText] = useState(inAddress ?? "");
  // Typed, and not in the address yet: it follows a little later, and may leave out what was overtaken.
  const pending = useRef<string[]>([]);
  useEffect(() => {
    const now = inAddress ?? "";
    const place = pending.current.indexOf(now);
    if (place >= 0) {
      pending.current.splice(0, place + 1);
      return;
    }
    pending.current = [];
    setText(now);
  }, [inAddress]);
  const type = (typed: string) => {
    pending.current.push(typed);
    setText(typed);
    write(typed === "" ? undefined : typed);
  };
  return [text, type];
}
