import { type FocusEvent, type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";

/** What the element needs, so that it is known whether it is in use. */
type InUseProps = {
  ref: RefObject<HTMLElement | null>;
  onPointerEnter: (event: PointerEvent) => void;
  onPointerLeave: () => void;
  onFocus: () => void;
  onBlur: (event: FocusEvent) => void;
};

/** Whether a mouse is over an element or the focus is in it, with the events by which that is known. */
export function useInUse(): { isInUse: boolean; props: InUseProps } {
  const ref = useRef<HTMLElement>(null);
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  // What has the focus and is removed says nothing of it, e.g. the button that shows newcomers.
  useEffect(() => {
    if (isFocused && !ref.current?.contains(document.activeElement)) setFocused(false);
  });
  return {
    isInUse: isPointed || isFocused,
    props: {
      ref,
      onPointerEnter: (event) => event.pointerType === "mouse" && setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: (event) => !event.currentTarget.contains(event.relatedTarget) && setFocused(false),
    },
  };
}
