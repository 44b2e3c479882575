import { useEffect } from "react";
import { titleOf } from "../time/title";
import { useMoment } from "../time/useMoment";
import { dateTime, useZone } from "../time/zone";

/** The heading of a page. It names the tab, too: for those who have several, for bookmarks, and for the browser's history. */
export function PageName({ name }: { name: string }) {
  const { moment } = useMoment();
  const zone = useZone();
  const title = titleOf(name, moment.mode, moment.mode === "live" ? "" : `${dateTime(moment.at, zone)} (${zone})`);
  useEffect(() => {
    document.title = title;
  }, [title]);
  return <h1>{name}</h1>;
}
