import { microsOf } from "../time/instant";

type Episode = { id: string; port?: string | null; openedAt: string };

const COMPARED = 4;

/** Return the last episodes before an alarm at its port, the newest first. episodes: of its rule at its entity. */
export function earlierOf<E extends Episode>(alarm: Episode, episodes: readonly E[]): E[] {
  const opened = microsOf(alarm.openedAt);
  return episodes
    .filter((episode) => episode.id !== alarm.id && (episode.port ?? null) === (alarm.port ?? null) && microsOf(episode.openedAt) < opened)
    .slice(0, COMPARED);
}
