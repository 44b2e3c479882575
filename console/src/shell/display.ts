import { useSyncExternalStore } from "react";

/** How the console looks, remembered by this browser. */
export type Theme = "system" | "light" | "dark" | "contrast";
export type Density = "comfortable" | "compact";

export const THEMES: readonly [Theme, string][] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
  ["contrast", "High contrast"],
];

const listeners = new Set<() => void>();

export function theme(): Theme {
  const value = localStorage.getItem("argus.theme");
  return THEMES.some(([name]) => name === value) ? (value as Theme) : "system";
}

export function density(): Density {
  return localStorage.getItem("argus.density") === "compact" ? "compact" : "comfortable";
}

export function setTheme(next: Theme): void {
  localStorage.setItem("argus.theme", next);
  applyDisplay();
}

export function setDensity(next: Density): void {
  localStorage.setItem("argus.density", next);
  applyDisplay();
}

export function applyDisplay(): void {
  const { dataset } = document.documentElement;
  if (theme() === "system") delete dataset.theme;
  else dataset.theme = theme();
  dataset.density = density();
  for (const listener of listeners) listener();
}

export function useDisplay(): { theme: Theme; density: Density } {
  const key = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => `${theme()} ${density()}`,
  );
  const [shown, spacing] = key.split(" ");
  return { theme: shown as Theme, density: spacing as Density };
}
