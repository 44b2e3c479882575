import type { Column } from "./Grid";
import "./two-lines.css";

/** Height of a row of two lines, in pixels. */
export const TWO_LINES_PX = 58;

/** Return the columns of a narrow screen: one of two lines, what names the row and below it the cells of `labels`, each with its label. */
export function twoLines<N>(columns: readonly Column<N>[], labels: Readonly<Record<string, string>>): Column<N>[] {
  const [name] = columns;
  if (name === undefined) return [];
  const below = columns.filter((column) => column.id in labels);
  return [
    {
      ...name,
      width: "minmax(0, 1fr)",
      cell: (row, visible) => (
        <span className="two-lines">
          <span className="line">{name.cell(row, visible)}</span>
          <span className="line small">
            {below.map((column) => (
              <span key={column.id}>
                {labels[column.id] && <span className="muted">{labels[column.id]} </span>}
                {column.cell(row, visible)}
              </span>
            ))}
          </span>
        </span>
      ),
    },
  ];
}
